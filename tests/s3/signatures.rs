//! Proof of identity on the live server: every route of the router's table, every way to prove who asks, and each signed
//! request changed in every way we know. None may be accepted, and not a byte of the node's metadata may change: not even
//! a refused command in a group's log. The same requests, not changed, must be accepted.

mod changes;
mod forms;
mod routes;
mod signer;
mod wire;

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::time::{SystemTime, UNIX_EPOCH};

use futures::StreamExt;
use onggi::s3_api::router::Operation;
use onggi::s3_api::router::operation::{Row, Support};
use onggi::services::KeyPair;
use onggi::services::identity_service::NewUser;
use onggi_storage_engine::rocks::{Direction, KeyRange};

use crate::support::{Server, client_with, start};
use changes::changes;
use routes::{BUCKET, Fixture};
use signer::{Proof, Signer};
use wire::{Answer, Connection, Wire};

/// The answers of a server that did not believe its client.
const REFUSALS: &[&str] = &[
    "AccessDenied",
    "SignatureDoesNotMatch",
    "InvalidAccessKeyId",
    "RequestTimeTooSkewed",
    "AuthorizationHeaderMalformed",
    "AuthorizationQueryParametersError",
    "XAmzContentSHA256Mismatch",
    // Of requests that are no longer well-formed, before anybody is asked for a proof.
    "InvalidArgument",
    "InvalidRequest",
    "InvalidBucketName",
    "MethodNotAllowed",
    "MalformedPOSTRequest",
    "MissingContentLength",
    "IncompleteBody",
    "InvalidChunkSizeError",
    "MalformedTrailerError",
];

/// Sub-resources that Version 2 cannot sign: URLs with them are refused.
const NOT_IN_V2: &[&str] = &[
    "abac",
    "attributes",
    "intelligent-tiering",
    "metadataConfiguration",
    "metadataInventoryTable",
    "metadataJournalTable",
    "metadataTable",
    "ownershipControls",
    "renameObject",
    "session",
];

const CHANGES_MIN: usize = 40;
const AT_ONCE: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn no_changed_request_is_accepted() {
    let world = World::new().await;
    let before = world.state();
    let sent = futures::stream::iter(world.signed_rows())
        .map(|(row, proof)| world.send_changed(row, proof))
        .buffer_unordered(AT_ONCE)
        .fold((0, Vec::new()), async |(sent, mut accepted), (more, mut bad)| {
            accepted.append(&mut bad);
            (sent + more, accepted)
        });
    let (sent, accepted) = sent.await;
    assert!(accepted.is_empty(), "{} of {sent} accepted:\n{}", accepted.len(), accepted.join("\n"));
    assert_eq!(world.state(), before, "refused requests leave no trace");
    println!("{sent} changed requests refused");

    let mut problems = Vec::new();
    for (row, proof) in world.signed_rows() {
        let answer = world.send_as_signed(row, proof).await;
        let expected = match row.support {
            Support::Enforced => (200..300).contains(&answer.status),
            Support::NeverConfigured(code) => answer.status == 404 && answer.code == code.as_str(),
            Support::NotImplemented => answer.status == 501,
        };
        if !expected {
            problems.push(format!("{} {proof:?}: {answer:?}", row.operation.name()));
        }
    }
    assert!(problems.is_empty(), "not accepted as signed:\n{}", problems.join("\n"));
    assert_ne!(world.state(), before, "what is accepted is done");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_anonymous_and_nobody_is_somebody_else() {
    let world = World::new().await;
    let before = world.state();
    let mut connection = Connection::new(world.server.address);
    let stranger = Signer {
        access_key: world.server.other.access_key.clone(),
        secret: world.server.other.secret.expose().to_owned(),
        ..world.signer.clone()
    };
    for row in Operation::TABLE {
        let Some(request) = world.fixture.request(row, &world.host) else { continue };
        let name = row.operation.name();
        let mut answer = connection.send(&request).await;
        answer.code = if request.method == "HEAD" { "AccessDenied".to_owned() } else { answer.code };
        assert_eq!((answer.status, answer.code.as_str()), (403, "AccessDenied"), "{name} without a signature");
        // What is everybody's: their own list of buckets, a bucket of their own.
        let is_open = matches!(row.operation, Operation::ListBuckets | Operation::CreateBucket);
        if row.support == Support::Enforced && !is_open {
            let answer = connection.send(&stranger.sign(&request, Proof::Header).0).await;
            assert_eq!(answer.status, 403, "{name} in a bucket of another user: {answer:?}");
        }
    }
    assert_eq!(world.state(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_changed_form_is_accepted() {
    let world = World::new().await;
    let before = world.state();
    let mut connection = Connection::new(world.server.address);
    let mut sent = 0;
    for version in [forms::Version::V2, forms::Version::V4] {
        let form = forms::Form::signed(&world.signer, version);
        let mut accepted = Vec::new();
        for (name, wire) in form.changed(&world.signer, &world.host) {
            sent += 1;
            let answer = connection.send(&wire).await;
            if !(400..500).contains(&answer.status) {
                accepted.push(format!("{version:?} {name}: {answer:?}"));
            }
        }
        assert!(accepted.is_empty(), "{}", accepted.join("\n"));
        assert!(sent >= CHANGES_MIN, "{sent}");
    }
    assert_eq!(world.state(), before);
    for version in [forms::Version::V2, forms::Version::V4] {
        let form = forms::Form::signed(&world.signer, version);
        let answer = connection.send(&form.request(&world.host)).await;
        assert_eq!(answer.status, 204, "{version:?}: {answer:?}");
    }
    println!("{sent} changed forms refused");
}

/// A node, its users, and a clock: all requests are signed for the moment the test began.
struct World {
    server: Server,
    host: String,
    signer: Signer,
    fixture: Fixture,
    /// Correct secrets that must not open anything.
    shut_out: Vec<(&'static str, KeyPair)>,
}

impl World {
    async fn new() -> Self {
        let server = start().await;
        let shut_out = shut_out(&server).await;
        let client = client_with(&server.endpoint(), &server.access_key, &server.secret);
        let fixture = Fixture::prepare(&client).await;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let now = i64::try_from(now).unwrap();
        let signer = Signer {
            access_key: server.access_key.clone(),
            secret: server.secret.clone(),
            at: now,
            scope_at: now,
            region: "us-east-1".to_owned(),
            service: "s3".to_owned(),
            expires: 3600,
        };
        Self { host: server.address.to_string(), server, signer, fixture, shut_out }
    }

    fn signed_rows(&self) -> Vec<(&'static Row, Proof)> {
        let mut rows = Vec::new();
        for row in Operation::TABLE {
            let Some(request) = self.fixture.request(row, &self.host) else { continue };
            rows.extend([(row, Proof::Header), (row, Proof::Query)]);
            if !row.marker.sub_resource().is_some_and(|name| NOT_IN_V2.contains(&name)) {
                rows.push((row, Proof::QueryV2));
            }
            if !request.body.is_empty() {
                rows.extend([(row, Proof::Chunks), (row, Proof::ChunksAndTrailer)]);
            }
        }
        rows
    }

    /// How many were sent, and which were not refused.
    async fn send_changed(&self, row: &Row, proof: Proof) -> (usize, Vec<String>) {
        let request = self.fixture.request(row, &self.host).unwrap();
        let (signed, framed) = self.signer.sign(&request, proof);
        let mut all = changes(&signed, framed.as_ref(), proof, &self.server.other.access_key);
        let forged = self.forgers(proof).into_iter().map(|(name, signer)| (name, signer.sign(&request, proof).0));
        all.extend(forged);
        assert!(all.len() >= CHANGES_MIN, "{} {proof:?}: {}", row.operation.name(), all.len());
        let mut connection = Connection::new(self.server.address);
        let mut accepted = Vec::new();
        for (name, wire) in &all {
            let answer = connection.send(wire).await;
            if !is_refusal(wire, &answer) {
                accepted.push(format!("{} {proof:?} {name}: {answer:?}", row.operation.name()));
            }
        }
        (all.len(), accepted)
    }

    /// Signers who may not: well-formed signatures of others, of other times, for other services.
    fn forgers(&self, proof: Proof) -> Vec<(String, Signer)> {
        let mut forgers = Vec::new();
        let mut add = |name: &str, change: &dyn Fn(&mut Signer)| {
            let mut signer = self.signer.clone();
            change(&mut signer);
            forgers.push((name.to_owned(), signer));
        };
        add("wrong secret", &|signer| signer.secret.push('x'));
        add("empty secret", &|signer| signer.secret.clear());
        add("unknown key", &|signer| signer.access_key = "OGNOBODYKNOWSTHISKEY".to_owned());
        for (name, pair) in &self.shut_out {
            add(name, &|signer| {
                signer.access_key = pair.access_key.clone();
                signer.secret = pair.secret.expose().to_owned();
            });
        }
        match proof {
            Proof::QueryV2 => add("expired", &|signer| signer.expires = -1),
            Proof::Query => {
                add("expired", &|signer| signer.at -= 3601);
                add("a week is over", &|signer| (signer.at, signer.expires) = (signer.at - 604_801, 604_800));
            }
            _ => add("of the past", &|signer| signer.at -= 15 * 60 + 60),
        }
        if proof != Proof::QueryV2 {
            add("of the future", &|signer| signer.at += 15 * 60 + 60);
            add("scope of yesterday", &|signer| signer.scope_at -= 86_400);
            add("for another service", &|signer| signer.service = "onggi-admin".to_owned());
        }
        forgers
    }

    async fn send_as_signed(&self, row: &Row, proof: Proof) -> Answer {
        let client = client_with(&self.server.endpoint(), &self.server.access_key, &self.server.secret);
        let fixture = Fixture::prepare(&client).await;
        let request = fixture.request(row, &self.host).unwrap();
        let (mut signed, _) = self.signer.sign(&request, proof);
        // Behind a header that nobody signs: the answer may be long, and of unknown length.
        signed.headers.push(("connection".to_owned(), "close".to_owned()));
        Connection::new(self.server.address).send(&signed).await
    }

    /// Every key and value of the metadata of all groups, the positions of their logs included.
    fn state(&self) -> u64 {
        let snapshot = self.server.cluster.engine().metadata_store().snapshot();
        let mut scan = snapshot.scan(&KeyRange::all(), Direction::Forward);
        let mut hasher = DefaultHasher::new();
        while let Some(entry) = scan.next_entry().unwrap() {
            entry.hash(&mut hasher);
        }
        hasher.finish()
    }
}

fn is_refusal(wire: &Wire, answer: &Answer) -> bool {
    let status = matches!(answer.status, 400 | 403 | 405 | 411);
    // What hyper refuses by itself has no document.
    let silent = wire.method == "HEAD" || (answer.status == 400 && answer.code.is_empty());
    status && (silent || REFUSALS.contains(&answer.code.as_str()))
}

/// Keys whose secrets are right, but which were disabled or deleted, or whose user was.
async fn shut_out(server: &Server) -> Vec<(&'static str, KeyPair)> {
    let identity = &server.services.identity;
    let user = async |name: &str| {
        let user = NewUser { name: name.to_owned(), admin: true, quota_bytes: None };
        identity.create_user(user).await.unwrap()
    };
    let (enabled, disabled, deleted) = (user("enabled").await, user("disabled").await, user("deleted").await);
    let key = async |user| identity.create_access_key(user, "").await.unwrap();
    let keys = [
        ("disabled key", key(enabled).await),
        ("deleted key", key(enabled).await),
        ("key of a disabled user", key(disabled).await),
        ("key of a deleted user", key(deleted).await),
    ];
    identity.set_access_key_enabled(&keys[0].1.access_key, false).await.unwrap();
    identity.delete_access_key(&keys[1].1.access_key).await.unwrap();
    identity.set_user_enabled(disabled, false).await.unwrap();
    identity.delete_user(deleted).await.unwrap();
    keys.into()
}
