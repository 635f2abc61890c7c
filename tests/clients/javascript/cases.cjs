// The AWS SDK for JavaScript against one endpoint: `node cases.cjs CASE BUCKET [SIZE]`.
// CommonJS, because only `require` finds packages through NODE_PATH, and the packages live outside the tree.
'use strict';

const assert = require('node:assert/strict');
const { createHash, randomBytes } = require('node:crypto');
const { Readable } = require('node:stream');
const s3sdk = require('@aws-sdk/client-s3');
const { Upload } = require('@aws-sdk/lib-storage');
const { getSignedUrl } = require('@aws-sdk/s3-request-presigner');

const MIB = 1 << 20;
const PART_BYTES_MIN = 5 * MIB;
// Endpoint, region and keys come from the environment, as for any user.
const client = new s3sdk.S3Client({});
const send = (command, input) => client.send(new s3sdk[`${command}Command`](input));

async function read(Bucket, Key, options = {}) {
  const answer = await send('GetObject', { Bucket, Key, ...options });
  return Buffer.from(await answer.Body.transformToByteArray());
}

async function assertStored(Bucket, Key, expected) {
  const stored = await read(Bucket, Key);
  assert.ok(stored.equals(expected), `${Key}: ${stored.length} bytes came back, not the ${expected.length} that were stored`);
}

const cases = {
  async roundTrip(Bucket, size) {
    const Body = randomBytes(size);
    const put = await send('PutObject', { Bucket, Key: 'object', Body });
    assert.equal(put.ETag, `"${createHash('md5').update(Body).digest('hex')}"`);
    await assertStored(Bucket, 'object', Body);
    assert.equal((await send('HeadObject', { Bucket, Key: 'object' })).ContentLength, size);
    await send('DeleteObject', { Bucket, Key: 'object' });
    await assert.rejects(send('GetObject', { Bucket, Key: 'object' }), { name: 'NoSuchKey' });
  },

  // Streams of unknown length: one request below a part's size, multipart above.
  async libStorage(Bucket, size) {
    const body = randomBytes(size);
    const pieces = [];
    for (let start = 0; start < size; start += 100_000) pieces.push(body.subarray(start, start + 100_000));
    await new Upload({ client, params: { Bucket, Key: 'stream', Body: Readable.from(pieces) } }).done();
    await assertStored(Bucket, 'stream', body);
  },

  async lostUploadResumes(Bucket) {
    const Key = 'resumed';
    const parts = [randomBytes(PART_BYTES_MIN), randomBytes(PART_BYTES_MIN), randomBytes(99)];
    const { UploadId } = await send('CreateMultipartUpload', { Bucket, Key });
    await send('UploadPart', { Bucket, Key, UploadId, PartNumber: 2, Body: parts[1] });
    const { Parts: present } = await send('ListParts', { Bucket, Key, UploadId });
    assert.deepEqual(present.map((part) => part.PartNumber), [2]);
    for (const PartNumber of [1, 3]) await send('UploadPart', { Bucket, Key, UploadId, PartNumber, Body: parts[PartNumber - 1] });
    const { Parts } = await send('ListParts', { Bucket, Key, UploadId });
    const listed = Parts.map(({ PartNumber, ETag, ChecksumCRC32 }) => ({ PartNumber, ETag, ChecksumCRC32 }));
    const done = await send('CompleteMultipartUpload', { Bucket, Key, UploadId, MultipartUpload: { Parts: listed } });
    assert.match(done.ETag, /^"[0-9a-f]{32}-3"$/);
    await assertStored(Bucket, Key, Buffer.concat(parts));
  },

  async presignedGetAndPut(Bucket) {
    const Key = 'signed/with space+plus 한글.bin';
    const body = randomBytes(100_000);
    const put = new s3sdk.PutObjectCommand({ Bucket, Key, ContentType: 'text/x-jar' });
    const answer = await fetch(await getSignedUrl(new s3sdk.S3Client({ requestChecksumCalculation: 'WHEN_REQUIRED' }), put), {
      method: 'PUT', body, headers: { 'content-type': 'text/x-jar' },
    });
    assert.equal(answer.status, 200, await answer.text());
    const url = await getSignedUrl(client, new s3sdk.GetObjectCommand({ Bucket, Key, ResponseCacheControl: 'no-store' }));
    const got = await fetch(url);
    assert.equal(got.headers.get('content-type'), 'text/x-jar');
    assert.equal(got.headers.get('cache-control'), 'no-store');
    assert.ok(Buffer.from(await got.arrayBuffer()).equals(body));
    assert.equal((await fetch(url.replace('no-store', 'no-cache'))).status, 403);
  },

  async presignedParts(Bucket) {
    const Key = 'browser upload';
    const parts = [randomBytes(PART_BYTES_MIN), randomBytes(1234)];
    const signer = new s3sdk.S3Client({ requestChecksumCalculation: 'WHEN_REQUIRED' });
    const { UploadId } = await send('CreateMultipartUpload', { Bucket, Key });
    const Parts = [];
    for (const [index, body] of parts.entries()) {
      const url = await getSignedUrl(signer, new s3sdk.UploadPartCommand({ Bucket, Key, UploadId, PartNumber: index + 1 }));
      const answer = await fetch(url, { method: 'PUT', body });
      assert.equal(answer.status, 200, await answer.text());
      Parts.push({ PartNumber: index + 1, ETag: answer.headers.get('etag') });
    }
    await send('CompleteMultipartUpload', { Bucket, Key, UploadId, MultipartUpload: { Parts } });
    await assertStored(Bucket, Key, Buffer.concat(parts));
  },

  async conditions(Bucket) {
    const once = { Bucket, Key: 'once', Body: 'x', IfNoneMatch: '*' };
    const { ETag } = await send('PutObject', once);
    await assert.rejects(send('PutObject', once), { name: 'PreconditionFailed' });
    await send('PutObject', { Bucket, Key: 'once', Body: 'y', IfMatch: ETag });
    await assert.rejects(send('PutObject', { Bucket, Key: 'once', Body: 'z', IfMatch: ETag }), { name: 'PreconditionFailed' });
    assert.equal((await read(Bucket, 'once')).toString(), 'y');
  },

  async copyAndTags(Bucket) {
    await send('PutObject', { Bucket, Key: 'a b+c', Body: 'jar', Metadata: { glaze: 'ash' }, Tagging: 'team=kiln' });
    await send('CopyObject', { Bucket, Key: 'copy', CopySource: `${Bucket}/${encodeURIComponent('a b+c')}` });
    assert.deepEqual((await send('HeadObject', { Bucket, Key: 'copy' })).Metadata, { glaze: 'ash' });
    assert.deepEqual((await send('GetObjectTagging', { Bucket, Key: 'copy' })).TagSet, [{ Key: 'team', Value: 'kiln' }]);
    const { Deleted } = await send('DeleteObjects', { Bucket, Delete: { Objects: [{ Key: 'a b+c' }, { Key: 'copy' }] } });
    assert.deepEqual(Deleted.map((entry) => entry.Key).sort(), ['a b+c', 'copy']);
  },

  async listing(Bucket) {
    const keys = ['a b', 'a%20b', 'a+b', 'dir/1', 'dir/2', 'quote"&<>', '한글/1'];
    for (const Key of keys) await send('PutObject', { Bucket, Key, Body: '' });
    const seen = [];
    for await (const page of s3sdk.paginateListObjectsV2({ client, pageSize: 2 }, { Bucket })) {
      seen.push(...page.Contents.map((entry) => entry.Key));
    }
    assert.deepEqual(seen, [...keys].sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right))));
    const folded = await send('ListObjectsV2', { Bucket, Delimiter: '/' });
    assert.deepEqual(folded.CommonPrefixes.map((entry) => entry.Prefix), ['dir/', '한글/']);
  },

  async versions(Bucket) {
    await send('PutBucketVersioning', { Bucket, VersioningConfiguration: { Status: 'Enabled' } });
    const first = await send('PutObject', { Bucket, Key: 'k', Body: 'old' });
    await send('PutObject', { Bucket, Key: 'k', Body: 'new' });
    assert.equal((await read(Bucket, 'k', { VersionId: first.VersionId })).toString(), 'old');
    await send('DeleteObject', { Bucket, Key: 'k' });
    const listed = await send('ListObjectVersions', { Bucket });
    assert.equal(listed.Versions.length, 2);
    assert.equal(listed.DeleteMarkers[0].IsLatest, true);
  },
};

const [, , name, bucket, size] = process.argv;
cases[name](bucket, Number(size)).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
