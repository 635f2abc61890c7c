use proptest::prelude::*;

use super::*;
use crate::id::{
    BlobId, BucketId, EntryId, GrantId, GroupId, LinkId, NodeId, OwnerKey, TokenId, UploadId, UserId, VersionId,
};

fn bucket() -> BucketSpace {
    BucketSpace::new(OwnerKey(0x0102_0304_0506_0708), BucketId(9))
}

#[test]
fn every_key_comes_back() {
    let owner = OwnerKey(0x0102_0304_0506_0708);
    let (upload, version) = (UploadId([7; 16]), VersionId::new(3, 4));
    let blob = Referent::Blob(BlobId::new(owner, 5, 6));
    let key = "a\0b".to_owned();
    let text = |text: &str| text.to_owned();
    let group = |key| Key::Group(GroupId(3), key);
    let table = |key| Key::Owner(owner, key);
    let of_bucket = |key| Key::Bucket(bucket(), key);
    let (tree, entry) = (TreeSpace(bucket()), EntryId(11));
    let of_tree = |key| of_bucket(BucketKey::Tree(key));
    let cases = [
        (GroupSpace(GroupId(3)).applied(), group(GroupKey::Applied)),
        (GroupSpace(GroupId(3)).decisions(), group(GroupKey::Decisions)),
        (GroupSpace(GroupId(3)).request(8), group(GroupKey::Request { slot: 8 })),
        (GroupSpace(GroupId(3)).range(), group(GroupKey::Range)),
        (OwnerSpace(owner).owner(), table(OwnerTableKey::Owner)),
        (OwnerSpace(owner).bucket_name("n"), table(OwnerTableKey::BucketName { name: text("n") })),
        (OwnerSpace(owner).reference(&blob), table(OwnerTableKey::Reference(blob))),
        (
            OwnerSpace(owner).reference(&Referent::Upload(upload)),
            table(OwnerTableKey::Reference(Referent::Upload(upload))),
        ),
        (OwnerSpace(owner).grant(GrantId(9)), table(OwnerTableKey::Grant(GrantId(9)))),
        (bucket().bucket(), of_bucket(BucketKey::Bucket)),
        (bucket().counters(), of_bucket(BucketKey::Counters)),
        (bucket().object(&key), of_bucket(BucketKey::Object { key: key.clone() })),
        (bucket().version(&key, version), of_bucket(BucketKey::Version { key: key.clone(), version })),
        (bucket().null_version(&key), of_bucket(BucketKey::NullVersion { key: key.clone() })),
        (bucket().upload(&key, upload), of_bucket(BucketKey::Upload { key: key.clone(), upload })),
        (bucket().part(upload, 10_000), of_bucket(BucketKey::Part { upload, number: 10_000 })),
        (bucket().manifest(upload), of_bucket(BucketKey::Manifest { upload })),
        (bucket().completed_upload(upload), of_bucket(BucketKey::CompletedUpload { upload })),
        (tree.tree(), of_tree(TreeKey::Tree)),
        (tree.entry(entry, "a", true), of_tree(TreeKey::Entry { parent: entry, name: text("a/") })),
        (tree.entry(entry, "a", false), of_tree(TreeKey::Entry { parent: entry, name: text("a") })),
        (tree.name(entry, "a"), of_tree(TreeKey::Name { parent: entry, folded: text("a") })),
        (tree.place(entry), of_tree(TreeKey::Place(entry))),
        (tree.revision(entry, 300), of_tree(TreeKey::Revision { entry, rev: 300 })),
        (tree.change(300), of_tree(TreeKey::Change { seq: 300 })),
        (tree.vacated(entry, "a"), of_tree(TreeKey::Vacated { parent: entry, folded: text("a") })),
        (tree.trash(300), of_tree(TreeKey::Trash { seq: 300 })),
        (tree.session(upload), of_tree(TreeKey::Session(upload))),
        (tree.session_part(upload, 9), of_tree(TreeKey::SessionPart { session: upload, part: 9 })),
        (tree.link(LinkId([8; 16])), of_tree(TreeKey::Link(LinkId([8; 16])))),
        (tree.stood(entry, 300), of_tree(TreeKey::Stood { entry, seq: 300 })),
        (tree.brake(), of_tree(TreeKey::Brake)),
        (tree.moment(300), of_tree(TreeKey::Moment { span: 300 })),
        (SystemSpace.cluster(), Key::System(SystemKey::Cluster)),
        (SystemSpace.partition_map(), Key::System(SystemKey::PartitionMap)),
        (SystemSpace.user(UserId(2)), Key::System(SystemKey::User(UserId(2)))),
        (SystemSpace.user_name("u"), Key::System(SystemKey::UserName { name: text("u") })),
        (SystemSpace.access_key("k"), Key::System(SystemKey::AccessKey { access_key: text("k") })),
        (
            SystemSpace.user_key(UserId(2), "k"),
            Key::System(SystemKey::UserKey { user: UserId(2), access_key: text("k") }),
        ),
        (SystemSpace.bucket_name("b"), Key::System(SystemKey::BucketName { name: text("b") })),
        (SystemSpace.node(NodeId(4)), Key::System(SystemKey::Node(NodeId(4)))),
        (
            SystemSpace.user_bucket(UserId(2), "b"),
            Key::System(SystemKey::UserBucket { user: UserId(2), name: text("b") }),
        ),
        (SystemSpace.node_drive(&[3; 16]), Key::System(SystemKey::NodeDrive([3; 16]))),
        (SystemSpace.join_token(TokenId([5; 16])), Key::System(SystemKey::JoinToken(TokenId([5; 16])))),
        (SystemSpace.authority(), Key::System(SystemKey::Authority)),
        (SystemSpace.group_nodes(GroupId(7)), Key::System(SystemKey::GroupNodes(GroupId(7)))),
        (SystemSpace.split(GroupId(7)), Key::System(SystemKey::Split(GroupId(7)))),
        (SystemSpace.password(UserId(2)), Key::System(SystemKey::Password(UserId(2)))),
    ];
    for (bytes, key) in cases {
        assert_eq!(parse(&bytes).unwrap(), key);
    }
}

#[test]
fn versions_of_a_key_stand_newest_first_and_apart_from_longer_keys() {
    let old = bucket().version("a", VersionId::new(1, 0));
    let new = bucket().version("a", VersionId::new(2, 0));
    let longer = bucket().version("a\0", VersionId::new(9, 0));
    assert!(new < old && old < longer);
    let range = bucket().versions_of("a");
    assert!(range.bounds().contains(&new.as_slice()) && !range.bounds().contains(&longer.as_slice()));
    assert!(bucket().versions("a").bounds().contains(&longer.as_slice()));
}

proptest! {
    #[test]
    fn composite_keys_keep_the_order_of_their_parts(
        left in "[\0\u{1}a-c\u{7f}é]{0,4}", right in "[\0\u{1}a-c\u{7f}é]{0,4}",
        left_id in any::<[u8; 16]>(), right_id in any::<[u8; 16]>(),
    ) {
        let parts = (left.as_bytes(), left_id).cmp(&(right.as_bytes(), right_id));
        let keys = bucket().upload(&left, UploadId(left_id)).cmp(&bucket().upload(&right, UploadId(right_id)));
        prop_assert_eq!(parts, keys);
        let versions = bucket().version(&left, VersionId(left_id)).cmp(&bucket().version(&right, VersionId(right_id)));
        prop_assert_eq!(left.as_bytes().cmp(right.as_bytes()).then(right_id.cmp(&left_id)), versions);
    }

    #[test]
    fn parsing_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = parse(&bytes);
        for space in 1..=3 {
            let _ = parse(&[&[space], bytes.as_slice()].concat());
        }
    }
}
