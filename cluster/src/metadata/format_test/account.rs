//! Samples of passwords, and of what lets users in without them.

use super::{OWNER, REQUEST, Sample, samples_of};
use crate::id::{GrantId, UserId};
use crate::metadata::command::{Change, Command, OwnerChange, RenewGrant, SetPassword, SystemChange, TouchGrant};
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::record::{
    AccessToken, CodeTerms, GrantKind, GrantRecord, PasswordHash, PasswordRecord, ReplacedToken,
};

const TIME_MS: u64 = 1_790_000_000_000;

pub(super) fn samples() -> Vec<Sample> {
    let terms = CodeTerms {
        challenge: [0xC0; 32],
        redirect_uri: Some("http://127.0.0.1:5000/".to_owned()),
        offline: true,
        rotates: false,
    };
    let records = vec![
        Sample::of("password", &password()),
        Sample::of("grant: sign-in", &grant(GrantKind::SignIn { rotates: true })),
        Sample::of("grant: console", &grant(GrantKind::Console)),
        Sample::of("grant: app password", &GrantRecord { expires_ms: None, ..grant(GrantKind::AppPassword) }),
        Sample::of("grant: code", &grant(GrantKind::Code(terms))),
    ];
    let refusals = [
        Refusal::NoSuchGrant,
        Refusal::GrantExists,
        Refusal::GrantExpired,
        Refusal::TooManyGrants { max: 300 },
        Refusal::PasswordChanged,
    ];
    let mut outcomes = vec![Outcome::PasswordSet { sign_ins: 300 }, Outcome::GrantReused];
    outcomes.extend(refusals.map(Outcome::Refused));
    samples_of(records, outcomes, commands())
}

fn commands() -> Vec<Command> {
    let set = SetPassword { user: UserId(2), hash: hash(), ends_app_passwords: true, expected: Some(300) };
    let renew = RenewGrant {
        grant: GrantId(u64::MAX),
        presented: [0xA1; 32],
        lineage: [0xA4; 32],
        token: Some([0xA2; 32]),
        access: AccessToken { token: [0xA3; 32], expires_ms: TIME_MS },
        expires_ms: TIME_MS,
    };
    let touch = TouchGrant { grant: GrantId(u64::MAX), expires_ms: Some(TIME_MS), under: Some(300) };
    let of_owner = [
        OwnerChange::CreateGrant { grant: grant(GrantKind::SignIn { rotates: false }) },
        OwnerChange::RenewGrant(renew),
        OwnerChange::TouchGrant(touch),
        OwnerChange::RevokeGrant { grant: GrantId(u64::MAX) },
    ];
    let changes = of_owner.into_iter().map(|change| Change::Owner { owner: OWNER, change });
    let changes = [Change::System(SystemChange::SetPassword(set))].into_iter().chain(changes);
    changes.map(|change| Command { request: REQUEST, retry: false, time_ms: TIME_MS, change }).collect()
}

fn hash() -> PasswordHash {
    PasswordHash { phc: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".to_owned() }
}

fn password() -> PasswordRecord {
    PasswordRecord { hash: hash(), changed_ms: TIME_MS, sign_ins: 300, app_passwords: 1 }
}

fn grant(kind: GrantKind) -> GrantRecord {
    GrantRecord {
        grant: GrantId(u64::MAX),
        kind,
        name: "räck 3".to_owned(),
        client: "client".to_owned(),
        created_ms: TIME_MS,
        used_ms: TIME_MS,
        expires_ms: Some(TIME_MS),
        under: 300,
        token: [0xA1; 32],
        lineage: [0xA4; 32],
        replaced: Some(ReplacedToken { token: [0xA2; 32], until_ms: TIME_MS }),
        access: vec![AccessToken { token: [0xA3; 32], expires_ms: TIME_MS }],
    }
}
