//! Scenarios of passwords and grants: one change a line, and what comes of each.

use std::fmt::Write as _;

use bytes::Bytes;
use expect_test::{Expect, expect};

use super::test_group::{TestGroup, owner};
use crate::id::{GrantId, UserId};
use crate::metadata::command::{OwnerChange, RenewGrant, SetPassword, SystemChange, TouchGrant};
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::query;
use crate::metadata::record::{
    AccessKeyRecord, AccessToken, CodeTerms, GrantKind, GrantRecord, PasswordHash, TokenHash,
};

/// Of every grant here.
const LINEAGE: u64 = 99;

/// Runs a script and compares it, each line followed by its result. Tokens are numbers; `at=` is the time in seconds.
fn check(script: &str, expected: Expect) {
    let mut group = TestGroup::new();
    let mut out = String::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        writeln!(out, "{line}").unwrap();
        for line in run(&mut group, line).lines() {
            writeln!(out, "    {line}").unwrap();
        }
    }
    expected.assert_eq(&out);
}

fn run(group: &mut TestGroup, line: &str) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let number = |name: &str| {
        words
            .iter()
            .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
            .map(|text| text.parse::<u64>().unwrap())
    };
    let ms = |name: &str| number(name).map(|seconds| seconds * 1000);
    let id = GrantId(words.get(1).and_then(|word| word.parse().ok()).unwrap_or_default());
    if let Some(at) = ms("at") {
        group.time_ms = at - 1;
    }
    let change = match words[0] {
        "list" => return list(group),
        "renew" => OwnerChange::RenewGrant(RenewGrant {
            grant: id,
            presented: token(number("with").unwrap()),
            lineage: token(number("lineage").unwrap_or(LINEAGE)),
            token: number("token").map(token),
            access: AccessToken { token: token(number("access").unwrap()), expires_ms: group.time_ms + 10_000 },
            expires_ms: ms("expires").unwrap_or(1_000_000),
        }),
        "touch" => OwnerChange::TouchGrant(TouchGrant { grant: id, expires_ms: ms("expires"), under: number("under") }),
        "revoke" => OwnerChange::RevokeGrant { grant: id },
        kind => OwnerChange::CreateGrant {
            grant: GrantRecord {
                expires_ms: ms("expires"),
                ..grant(id, kind_of(kind), group.time_ms, number("token").unwrap_or_default())
            },
        },
    };
    match group.commit(change) {
        Outcome::Refused(refusal) => format!("refused: {refusal:?}"),
        outcome => format!("{outcome:?}"),
    }
}

fn kind_of(word: &str) -> GrantKind {
    let code = |rotates| CodeTerms { challenge: [1; 32], redirect_uri: None, offline: true, rotates };
    match word {
        "sign-in" => GrantKind::SignIn { rotates: true },
        "fixed-sign-in" => GrantKind::SignIn { rotates: false },
        "console" => GrantKind::Console,
        "app-password" => GrantKind::AppPassword,
        "code" => GrantKind::Code(code(true)),
        other => panic!("{other}"),
    }
}

fn grant(grant: GrantId, kind: GrantKind, now_ms: u64, token_number: u64) -> GrantRecord {
    GrantRecord {
        grant,
        kind,
        name: String::new(),
        client: String::new(),
        created_ms: now_ms,
        used_ms: now_ms,
        expires_ms: None,
        under: 1,
        token: token(token_number),
        lineage: token(LINEAGE),
        replaced: None,
        access: Vec::new(),
    }
}

fn token(number: u64) -> TokenHash {
    [number as u8; 32]
}

fn list(group: &TestGroup) -> String {
    let mut out = String::new();
    for grant in query::grants(&group.records, owner()).unwrap() {
        let kind = match grant.kind {
            GrantKind::SignIn { .. } => "sign-in",
            GrantKind::Console => "console",
            GrantKind::AppPassword => "app password",
            GrantKind::Code(_) => "code",
        };
        let access: Vec<u8> = grant.access.iter().map(|access| access.token[0]).collect();
        let used = grant.used_ms / 1000;
        let (id, token, under) = (grant.grant.0, grant.token[0], grant.under);
        writeln!(out, "{id} {kind} token={token} access={access:?} used={used} under={under}").unwrap();
    }
    if out.is_empty() { "nothing".to_owned() } else { out }
}

#[test]
fn a_refresh_token_that_was_used_twice_ends_the_sign_in() {
    check(
        "sign-in 1 token=1 expires=900 at=100
         renew 1 with=1 token=2 access=10 at=110
         renew 1 with=2 token=3 access=11 at=200
         list
         renew 1 with=1 token=4 access=12 at=201
         list
         renew 1 with=3 token=4 access=12",
        expect![[r#"
            sign-in 1 token=1 expires=900 at=100
                Done
            renew 1 with=1 token=2 access=10 at=110
                Done
            renew 1 with=2 token=3 access=11 at=200
                Done
            list
                1 sign-in token=3 access=[11] used=200 under=1
            renew 1 with=1 token=4 access=12 at=201
                GrantReused
            list
                nothing
            renew 1 with=3 token=4 access=12
                refused: NoSuchGrant
        "#]],
    );
}

#[test]
fn a_refresh_token_that_was_made_up_ends_nothing() {
    check(
        "sign-in 1 token=1 expires=900 at=100
         renew 1 with=7 lineage=98 token=2 access=10
         renew 1 with=1 lineage=98 token=2 access=10
         renew 1 with=1 token=2 access=10",
        expect![[r#"
            sign-in 1 token=1 expires=900 at=100
                Done
            renew 1 with=7 lineage=98 token=2 access=10
                refused: NoSuchGrant
            renew 1 with=1 lineage=98 token=2 access=10
                refused: NoSuchGrant
            renew 1 with=1 token=2 access=10
                Done
        "#]],
    );
}

#[test]
fn a_lost_answer_is_forgiven_for_a_moment() {
    check(
        "sign-in 1 token=1 expires=900 at=100
         renew 1 with=1 token=2 access=10 at=110
         renew 1 with=1 token=3 access=11 at=130
         renew 1 with=3 token=4 access=12 at=131
         list
         renew 1 with=3 token=5 access=13 at=162",
        expect![[r#"
            sign-in 1 token=1 expires=900 at=100
                Done
            renew 1 with=1 token=2 access=10 at=110
                Done
            renew 1 with=1 token=3 access=11 at=130
                Done
            renew 1 with=3 token=4 access=12 at=131
                Done
            list
                1 sign-in token=4 access=[11, 12] used=131 under=1
            renew 1 with=3 token=5 access=13 at=162
                GrantReused
        "#]],
    );
}

#[test]
fn a_refresh_token_that_stays_can_be_shared() {
    check(
        "fixed-sign-in 1 token=1 expires=900 at=100
         renew 1 with=1 access=10 at=110
         renew 1 with=1 access=11 at=111
         list
         renew 1 with=1 access=12 at=125
         list",
        expect![[r#"
            fixed-sign-in 1 token=1 expires=900 at=100
                Done
            renew 1 with=1 access=10 at=110
                Done
            renew 1 with=1 access=11 at=111
                Done
            list
                1 sign-in token=1 access=[10, 11] used=111 under=1
            renew 1 with=1 access=12 at=125
                Done
            list
                1 sign-in token=1 access=[12] used=125 under=1
        "#]],
    );
}

#[test]
fn a_code_becomes_a_sign_in_once() {
    check(
        "code 1 token=1 expires=160 at=100
         renew 1 with=1 token=2 access=10 at=110
         list
         renew 1 with=1 token=3 access=11 at=111
         list
         code 2 token=1 expires=160 at=100
         renew 2 with=1 token=2 access=10 at=161
         code 3 token=1 expires=160 at=100
         renew 3 with=9 token=2 access=10
         renew 3 with=1 token=2 access=10",
        expect![[r#"
            code 1 token=1 expires=160 at=100
                Done
            renew 1 with=1 token=2 access=10 at=110
                Done
            list
                1 sign-in token=2 access=[10] used=110 under=1
            renew 1 with=1 token=3 access=11 at=111
                GrantReused
            list
                nothing
            code 2 token=1 expires=160 at=100
                Done
            renew 2 with=1 token=2 access=10 at=161
                refused: GrantExpired
            code 3 token=1 expires=160 at=100
                Done
            renew 3 with=9 token=2 access=10
                GrantReused
            renew 3 with=1 token=2 access=10
                refused: NoSuchGrant
        "#]],
    );
}

#[test]
fn what_is_no_refresh_token_renews_nothing() {
    check(
        "app-password 1 token=1 at=100
         renew 1 with=1 token=2 access=10
         console 2 token=1 expires=900
         renew 2 with=9 token=2 access=10
         app-password 1 token=1
         touch 1 at=5000
         touch 2 expires=9000 under=7 at=800
         touch 3
         list
         revoke 1
         revoke 1
         list",
        expect![[r#"
            app-password 1 token=1 at=100
                Done
            renew 1 with=1 token=2 access=10
                refused: NoSuchGrant
            console 2 token=1 expires=900
                Done
            renew 2 with=9 token=2 access=10
                refused: NoSuchGrant
            app-password 1 token=1
                refused: GrantExists
            touch 1 at=5000
                Done
            touch 2 expires=9000 under=7 at=800
                Done
            touch 3
                refused: NoSuchGrant
            list
                1 app password token=1 access=[] used=5000 under=1
                2 console token=1 access=[] used=800 under=7
            revoke 1
                Done
            revoke 1
                refused: NoSuchGrant
            list
                2 console token=1 access=[] used=800 under=7
        "#]],
    );
}

#[test]
fn expired_grants_go_when_the_next_one_comes() {
    check(
        "console 1 expires=200 at=100
         app-password 2
         code 3 expires=160
         sign-in 4 expires=900 at=300
         list
         touch 4 at=900",
        expect![[r#"
            console 1 expires=200 at=100
                Done
            app-password 2
                Done
            code 3 expires=160
                Done
            sign-in 4 expires=900 at=300
                Done
            list
                2 app password token=0 access=[] used=100 under=1
                4 sign-in token=0 access=[] used=299 under=1
            touch 4 at=900
                refused: GrantExpired
        "#]],
    );
}

#[test]
fn every_kind_has_its_bound() {
    let mut group = TestGroup::new();
    let mut create = |id: u64, kind: GrantKind| {
        let now_ms = group.time_ms;
        let outcome = group.commit(OwnerChange::CreateGrant { grant: grant(GrantId(id), kind, now_ms, 1) });
        (outcome, query::grants(&group.records, owner()).unwrap())
    };
    for id in 0..100 {
        assert_eq!(create(id, GrantKind::AppPassword).0, Outcome::Done);
    }
    assert_eq!(create(100, GrantKind::AppPassword).0, Outcome::Refused(Refusal::TooManyGrants { max: 100 }));
    for id in 1000..1200 {
        let kind = if id % 2 == 0 { GrantKind::Console } else { GrantKind::SignIn { rotates: true } };
        assert_eq!(create(id, kind).0, Outcome::Done);
    }
    let (outcome, grants) = create(1200, GrantKind::Console);
    assert_eq!((outcome, grants.len()), (Outcome::Done, 300));
    assert!(!grants.iter().any(|grant| grant.grant == GrantId(1000)), "the one that was not used for the longest time");
    for id in 2000..2021 {
        create(id, kind_of("code"));
    }
    let (_, grants) = create(2021, kind_of("code"));
    assert_eq!(grants.len(), 320);
    assert!(!grants.iter().any(|grant| [2000, 2001].contains(&grant.grant.0)), "the oldest codes");
}

#[test]
fn a_password_is_changed_from_the_one_that_was_checked_and_goes_with_its_user() {
    let mut group = TestGroup::new();
    let root_key = AccessKeyRecord {
        access_key: "ROOT".to_owned(),
        user: UserId::ROOT,
        created_ms: 1,
        enabled: true,
        description: String::new(),
        sealed_secret: Bytes::from_static(b"sealed"),
    };
    group.commit_system(SystemChange::InitializeCluster { cluster_name: "test".to_owned(), root_key });
    let ann = UserId(2);
    let set = |hash: &str, ends_app_passwords, expected| {
        let hash = PasswordHash { phc: hash.to_owned() };
        SystemChange::SetPassword(SetPassword { user: ann, hash, ends_app_passwords, expected })
    };
    assert_eq!(group.commit_system(set("early", true, None)), Outcome::Refused(Refusal::NoSuchUser));
    let create = SystemChange::CreateUser { name: "ann".to_owned(), admin: false, quota_bytes: None };
    assert_eq!(group.commit_system(create), Outcome::UserCreated { user: ann });
    assert_eq!(query::password(&group.records, ann).unwrap(), None);
    assert_eq!(group.commit_system(set("first", true, None)), Outcome::PasswordSet { sign_ins: 1 });
    assert_eq!(group.commit_system(set("second", false, Some(1))), Outcome::PasswordSet { sign_ins: 2 });
    assert_eq!(group.commit_system(set("late", false, Some(1))), Outcome::Refused(Refusal::PasswordChanged));
    let password = query::password(&group.records, ann).unwrap().unwrap();
    assert_eq!((password.hash.phc.as_str(), password.sign_ins, password.app_passwords), ("second", 2, 1));
    assert_eq!(group.commit_system(SystemChange::DeleteUser { user: ann }), Outcome::Done);
    assert_eq!(query::password(&group.records, ann).unwrap(), None);
}
