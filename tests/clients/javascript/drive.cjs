// The drive's clients for JavaScript, unmodified: each case is a function, run by node with the address and a token.
"use strict";

const assert = require("node:assert");
const { randomBytes } = require("node:crypto");
const { mkdtempSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");

const [, , name, url, token] = process.argv;
const headers = { Authorization: `Bearer ${token}` };

const stored = async (path) => {
  const answer = await fetch(`${url}/files/download?path=${encodeURIComponent(path)}`, { headers });
  assert.strictEqual(answer.status, 200);
  return Buffer.from(await answer.arrayBuffer());
};

const tusUpload = (data, options) =>
  new Promise((resolve, reject) => {
    const tus = require("tus-js-client");
    const upload = new tus.Upload(data, {
      endpoint: `${url}/files/tus/`,
      headers,
      chunkSize: 1 << 20,
      retryDelays: null,
      onSuccess: () => resolve(upload),
      onError: reject,
      ...options,
    });
    upload.start();
  });

const cases = {
  async tus() {
    const data = randomBytes(5_000_000);
    await tusUpload(data, { metadata: { filename: "js.bin", path: "/js/" } });
    assert.deepStrictEqual(await stored("/js/js.bin"), data);
  },

  async tusResumes() {
    const data = randomBytes(5_000_000);
    const metadata = { path: "/js/resumed.bin" };
    const begun = await new Promise((resolve, reject) => {
      const tus = require("tus-js-client");
      const upload = new tus.Upload(data, {
        endpoint: `${url}/files/tus/`,
        headers,
        metadata,
        chunkSize: 1 << 20,
        retryDelays: null,
        onError: reject,
        onChunkComplete: (_, accepted) => accepted >= 2 << 20 && upload.abort().then(() => resolve(upload.url)),
      });
      upload.start();
    });
    let first;
    const onProgress = (sent) => (first ??= sent);
    await tusUpload(data, { uploadUrl: begun, metadata, onProgress });
    assert.ok(first >= 2 << 20, `it began again at ${first}`);
    assert.deepStrictEqual(await stored("/js/resumed.bin"), data);
  },

  async tusInOneRequest() {
    const data = randomBytes(300_000);
    await tusUpload(data, { metadata: { path: "/js/one.bin" }, uploadDataDuringCreation: true });
    assert.deepStrictEqual(await stored("/js/one.bin"), data);
    await tusUpload(Buffer.alloc(0), { metadata: { path: "/js/empty.bin" } });
    assert.strictEqual((await stored("/js/empty.bin")).length, 0);
  },

  async tusParallel() {
    const data = randomBytes(11_000_001);
    const metadata = { path: "/js/parallel.bin", filetype: "text/x-parts" };
    await tusUpload(data, { parallelUploads: 3, metadata });
    assert.deepStrictEqual(await stored("/js/parallel.bin"), data);
  },

  async tusParallelResumes() {
    const tus = require("tus-js-client");
    const data = randomBytes(11_000_001);
    const kept = join(mkdtempSync(join(tmpdir(), "tus-")), "urls.json");
    const options = {
      parallelUploads: 3,
      metadata: { path: "/js/parallel-resumed.bin" },
      urlStorage: new tus.FileUrlStorage(kept),
      fingerprint: async () => "parallel",
    };
    await new Promise((resolve, reject) => {
      const upload = new tus.Upload(data, {
        endpoint: `${url}/files/tus/`,
        headers,
        chunkSize: 1 << 20,
        retryDelays: null,
        onError: reject,
        onProgress: (sent) => sent > 5_000_000 && upload.abort().then(resolve, reject),
        ...options,
      });
      upload.start();
    });
    const requests = [];
    await new Promise((resolve, reject) => {
      const upload = new tus.Upload(data, {
        endpoint: `${url}/files/tus/`,
        headers,
        chunkSize: 1 << 20,
        // The request that was cut off may still be stored while this one begins: 409, and the client asks anew.
        retryDelays: [100, 300, 1000],
        onSuccess: resolve,
        onError: reject,
        onBeforeRequest: (request) => requests.push(request.getMethod()),
        ...options,
      });
      upload.findPreviousUploads().then(([previous]) => {
        assert.strictEqual(previous.parallelUploadUrls.length, 3);
        upload.resumeFromPreviousUpload(previous);
        upload.start();
      }, reject);
    });
    assert.deepStrictEqual(await stored("/js/parallel-resumed.bin"), data);
    // The one that puts it together; and not all of the eleven pieces a second time.
    assert.strictEqual(requests.filter((method) => method === "POST").length, 1);
    assert.ok(requests.filter((method) => method === "PATCH").length < 11, requests.join(" "));
  },

  async dropbox() {
    const { Dropbox } = require("dropbox");
    const client = new Dropbox({ accessToken: token, domain: new URL(url).host, domainDelimiter: "" });
    const first = (await client.filesUpload({ path: "/js/ö.txt", contents: "one" })).result;
    const mode = { ".tag": "update", update: first.rev };
    const second = (await client.filesUpload({ path: "/js/ö.txt", contents: "two", mode })).result;
    const revisions = (await client.filesListRevisions({ path: "/js/ö.txt" })).result.entries;
    assert.deepStrictEqual(revisions.map((entry) => entry.rev), [second.rev, first.rev]);
    const file = (await client.filesDownload({ path: "/js/ö.txt" })).result;
    assert.strictEqual(file.fileBinary.toString(), "two");
    await assert.rejects(client.filesGetMetadata({ path: "/js/none" }), (error) => error.status === 409);

    const data = randomBytes(9 << 20);
    const session_id = (await client.filesUploadSessionStart({ contents: data.subarray(0, 4 << 20) })).result.session_id;
    const cursor = (offset) => ({ session_id, offset });
    await client.filesUploadSessionAppendV2({ cursor: cursor(4 << 20), contents: data.subarray(4 << 20, 8 << 20) });
    const commit = { path: "/js/session.bin" };
    await client.filesUploadSessionFinish({ cursor: cursor(8 << 20), commit, contents: data.subarray(8 << 20) });
    assert.deepStrictEqual(await stored("/js/session.bin"), data);

    const listed = (await client.filesListFolder({ path: "/js" })).result;
    assert.ok(listed.entries.some((entry) => entry.path_display === "/js/session.bin"));
    const waiting = client.filesListFolderLongpoll({ cursor: listed.cursor });
    await client.filesDeleteV2({ path: "/js/session.bin" });
    assert.strictEqual((await waiting).result.changes, true);
    const deleted = (await client.filesListFolderContinue({ cursor: listed.cursor })).result.entries;
    assert.deepStrictEqual(deleted.map((entry) => entry[".tag"]), ["deleted"]);
    assert.ok((await client.usersGetCurrentAccount()).result.account_id);
  },
};

cases[name]().catch((error) => {
  console.error(error);
  process.exit(1);
});
