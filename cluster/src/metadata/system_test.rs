//! The system group's decisions, and the memory of requests of any group.

use bytes::Bytes;

use super::test_group::{TestGroup, owner};
use crate::id::{BucketId, RequestId, UserId};
use crate::metadata::command::{Change, Command, OwnerChange, SystemChange};
use crate::metadata::outcome::{Outcome, Refusal};
use crate::metadata::query;
use crate::metadata::record::AccessKeyRecord;
use crate::placement::PartitionMap;

fn key(access_key: &str, user: UserId) -> AccessKeyRecord {
    AccessKeyRecord {
        access_key: access_key.to_owned(),
        user,
        created_ms: 1,
        enabled: true,
        description: String::new(),
        sealed_secret: Bytes::from_static(b"sealed"),
    }
}

fn initialize() -> SystemChange {
    SystemChange::InitializeCluster { cluster_name: "test".to_owned(), root_key: key("ROOT", UserId::ROOT) }
}

fn create_user(name: &str) -> SystemChange {
    SystemChange::CreateUser { name: name.to_owned(), admin: false, quota_bytes: None }
}

fn reserve(name: &str, owner: UserId) -> SystemChange {
    SystemChange::ReserveBucketName { name: name.to_owned(), owner, location: String::new() }
}

fn confirm(name: &str, reservation: RequestId) -> SystemChange {
    SystemChange::ConfirmBucketName { name: name.to_owned(), reservation }
}

fn release(name: &str, reservation: RequestId) -> SystemChange {
    SystemChange::ReleaseBucketName { name: name.to_owned(), reservation }
}

fn initialized() -> TestGroup {
    let mut group = TestGroup::new();
    assert_eq!(group.commit_system(initialize()), Outcome::UserCreated { user: UserId::ROOT });
    group
}

fn refused(refusal: Refusal) -> Outcome {
    Outcome::Refused(refusal)
}

#[test]
fn a_cluster_is_initialized_once_and_before_its_users() {
    let mut group = TestGroup::new();
    assert_eq!(group.commit_system(create_user("early")), refused(Refusal::NoSuchUser));
    assert_eq!(group.commit_system(initialize()), Outcome::UserCreated { user: UserId::ROOT });
    assert_eq!(group.commit_system(initialize()), refused(Refusal::AlreadyInitialized));
    let root = query::user_by_name(&group.records, "root").unwrap().unwrap();
    assert!(root.admin && root.enabled);
    assert_eq!(query::access_keys(&group.records, UserId::ROOT).unwrap().len(), 1);
}

#[test]
fn user_numbers_are_not_reused_and_the_root_user_stays() {
    let mut group = initialized();
    assert_eq!(group.commit_system(create_user("ann")), Outcome::UserCreated { user: UserId(2) });
    assert_eq!(group.commit_system(create_user("ann")), refused(Refusal::UserExists));
    assert_eq!(group.commit_system(SystemChange::DeleteUser { user: UserId(2) }), Outcome::Done);
    assert_eq!(group.commit_system(create_user("ann")), Outcome::UserCreated { user: UserId(3) });
    assert_eq!(group.commit_system(SystemChange::DeleteUser { user: UserId::ROOT }), refused(Refusal::RootUser));
    let update = |user, enabled| SystemChange::UpdateUser { user, enabled: Some(enabled), quota_bytes: Some(Some(5)) };
    assert_eq!(group.commit_system(update(UserId::ROOT, false)), refused(Refusal::RootUser));
    assert_eq!(group.commit_system(update(UserId(3), false)), Outcome::Done);
    assert_eq!(group.commit_system(update(UserId(2), false)), refused(Refusal::NoSuchUser));
    let ann = query::user(&group.records, UserId(3)).unwrap().unwrap();
    assert_eq!((ann.enabled, ann.quota_bytes), (false, Some(5)));
}

#[test]
fn access_keys_go_with_their_user() {
    let mut group = initialized();
    group.commit_system(create_user("ann"));
    let create = |access_key, user| SystemChange::CreateAccessKey { key: key(access_key, user) };
    assert_eq!(group.commit_system(create("A", UserId(9))), refused(Refusal::NoSuchUser));
    assert_eq!(group.commit_system(create("A", UserId(2))), Outcome::Done);
    assert_eq!(group.commit_system(create("A", UserId::ROOT)), refused(Refusal::AccessKeyExists));
    assert_eq!(group.commit_system(create("B", UserId(2))), Outcome::Done);
    let disable =
        |access_key: &str| SystemChange::UpdateAccessKey { access_key: access_key.to_owned(), enabled: false };
    assert_eq!(group.commit_system(disable("A")), Outcome::Done);
    assert_eq!(group.commit_system(disable("Z")), refused(Refusal::NoSuchAccessKey));
    let keys = query::access_keys(&group.records, UserId(2)).unwrap();
    assert_eq!(keys.iter().map(|key| key.enabled).collect::<Vec<_>>(), [false, true]);
    assert_eq!(group.commit_system(SystemChange::DeleteUser { user: UserId(2) }), Outcome::Done);
    assert_eq!(query::access_key(&group.records, "A").unwrap(), None);
    let delete = SystemChange::DeleteAccessKey { access_key: "B".to_owned() };
    assert_eq!(group.commit_system(delete), refused(Refusal::NoSuchAccessKey));
}

#[test]
fn a_bucket_name_has_one_owner_under_one_reservation() {
    let mut group = initialized();
    group.commit_system(create_user("ann"));
    let (root, ann) = (UserId::ROOT, UserId(2));
    let Outcome::BucketReserved { reservation } = group.commit_system(reserve("b", ann)) else { panic!() };
    assert_eq!(group.commit_system(reserve("b", ann)), Outcome::BucketReserved { reservation });
    assert_eq!(group.commit_system(reserve("b", root)), refused(Refusal::BucketNameTaken));
    assert_eq!(group.commit_system(reserve("c", UserId(9))), refused(Refusal::NoSuchUser));
    let stale = RequestId([9; 16]);
    assert_eq!(group.commit_system(confirm("b", stale)), refused(Refusal::StaleReservation));
    assert_eq!(group.commit_system(confirm("b", reservation)), Outcome::Done);
    assert_eq!(group.commit_system(confirm("b", reservation)), Outcome::Done);
    assert_eq!(group.commit_system(reserve("b", ann)), refused(Refusal::BucketOwnedByYou));
    assert_eq!(group.commit_system(SystemChange::DeleteUser { user: ann }), refused(Refusal::UserOwnsBuckets));
    assert_eq!(group.commit_system(release("b", stale)), refused(Refusal::StaleReservation));
    assert_eq!(group.commit_system(release("b", reservation)), Outcome::Done);
    assert_eq!(group.commit_system(release("b", reservation)), refused(Refusal::StaleReservation));
    assert_eq!(query::bucket_names(&group.records, None, 10).unwrap(), []);
    assert_eq!(group.commit_system(SystemChange::DeleteUser { user: ann }), Outcome::Done);
    let Outcome::BucketReserved { reservation: next } = group.commit_system(reserve("b", root)) else { panic!() };
    assert_ne!(next, reservation);
}

#[test]
fn the_partition_map_goes_from_epoch_to_epoch() {
    let mut group = TestGroup::new();
    let set = || SystemChange::SetPartitionMap { map: PartitionMap::even(4) };
    assert_eq!(group.commit_system(set()), Outcome::Done);
    assert_eq!(group.commit_system(set()), refused(Refusal::StalePartitionMap));
}

fn create_bucket(name: &str) -> Change {
    let change = OwnerChange::CreateBucket { name: name.to_owned(), location: String::new() };
    Change::Owner { owner: owner(), change }
}

fn delete_bucket(bucket: BucketId) -> Change {
    Change::Owner { owner: owner(), change: OwnerChange::DeleteBucket { bucket } }
}

#[test]
fn a_retry_is_answered_as_its_first_attempt_was_also_after_a_restart() {
    let mut group = TestGroup::new();
    let create = group.command(create_bucket("b"));
    let delete = group.command(delete_bucket(BucketId(1)));
    let created = Outcome::BucketCreated { bucket: BucketId(1) };
    assert_eq!(group.apply(&[create.clone(), delete.clone()]), [created.clone(), Outcome::Done]);
    group.reopen();
    let state = group.records.clone();
    let retries = [create, delete].map(|command| Command { retry: true, ..command });
    assert_eq!(group.apply(&retries), [created, Outcome::Done]);
    assert_eq!(group.records, state);
}

#[test]
fn only_a_retry_that_may_be_forgotten_is_refused() {
    let mut group = TestGroup::new();
    let first = group.command(create_bucket("first"));
    let never_applied = group.command(create_bucket("never applied"));
    let slow = group.command(create_bucket("slow"));
    group.apply(std::slice::from_ref(&first));
    // As many requests as the ring has slots push the first one out, and no other.
    let others: Vec<Command> = (0..4096).map(|_| group.command(delete_bucket(BucketId(99)))).collect();
    group.apply(&others);
    group.reopen();

    let too_old = [refused(Refusal::RequestTooOld)];
    assert_eq!(group.apply(&[Command { retry: true, ..first.clone() }]), too_old);
    // Younger than everything forgotten: it is proven that no attempt was applied.
    let retry = Command { retry: true, ..never_applied };
    assert!(matches!(group.apply(&[retry])[..], [Outcome::BucketCreated { .. }]));
    // A first attempt is never refused, however long it took.
    assert!(matches!(group.apply(&[slow])[..], [Outcome::BucketCreated { .. }]));
    assert_eq!(group.apply(&[Command { retry: true, ..others[9].clone() }]), [refused(Refusal::NoSuchBucket)]);
}

#[test]
fn versions_go_up_also_when_the_clock_goes_back() {
    let mut group = TestGroup::new();
    let create = group.command(create_bucket("b"));
    group.apply(&[create]);
    let mut versions = Vec::new();
    for time_ms in [5_000, 4_000, 4_000, 6_000] {
        let put = super::format_test::put_object(BucketId(1), "k");
        let mut command = group.command(Change::Owner { owner: owner(), change: OwnerChange::PutObject(put) });
        command.time_ms = time_ms;
        match &group.apply(&[command])[..] {
            [Outcome::ObjectWritten(written)] => versions.push(written.version),
            other => panic!("{other:?}"),
        }
    }
    assert!(versions.is_sorted_by(|one, two| one < two), "{versions:?}");
}
