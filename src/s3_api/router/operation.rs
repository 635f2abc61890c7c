//! Operations: every operation of Amazon S3, how a request names it, and whether Onggi enforces it.
//! Owns: the one table that the router reads and docs/s3-compatibility.md is made from.
//! Invariant: what the table does not say is refused; nothing falls through to GetObject or ListObjects.

use crate::s3_api::error::ErrorCode;

/// What a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Service,
    Bucket,
    Object,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Get,
    Head,
    Put,
    Post,
    Delete,
    Options,
}

/// What tells an operation from the others of the same verb and scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    /// None of the sub-resources is in the query.
    Plain,
    /// The query names this sub-resource.
    Query(&'static str),
    /// The query has the first and the second name.
    QueryWith(&'static str, &'static str),
    /// `list-type=2`.
    ListType2,
    /// The request has an `x-amz-copy-source` header (and the sub-resource, if one is given).
    CopySource(Option<&'static str>),
    /// The body is a `multipart/form-data` form.
    Form,
    /// Never on this endpoint: AWS serves it under another host name.
    ElsewhereOnly,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    Enforced,
    /// A read of a setting that cannot be made here, so that "there is none" is the true answer.
    NeverConfigured(ErrorCode),
    NotImplemented,
}

#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub operation: Operation,
    pub verb: Verb,
    pub scope: Scope,
    pub marker: Marker,
    pub support: Support,
}

macro_rules! operations {
    ($($name:ident $verb:ident $scope:ident $marker:expr, $support:expr;)*) => {
        /// Named as AWS names them; `PostObject` and `Preflight` are HTTP requests without an SDK operation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Operation { $($name,)* }

        impl Operation {
            pub const TABLE: &'static [Row] = &[$(Row {
                operation: Operation::$name, verb: Verb::$verb, scope: Scope::$scope, marker: $marker, support: $support,
            },)*];

            pub fn name(self) -> &'static str {
                match self { $(Operation::$name => stringify!($name),)* }
            }

            pub fn support(self) -> Support {
                match self { $(Operation::$name => $support,)* }
            }
        }
    };
}

use Marker::{CopySource, ElsewhereOnly, Form, ListType2, Plain, Query, QueryWith};
use Support::{Enforced, NeverConfigured, NotImplemented};

operations! {
    // Service.
    ListBuckets Get Service Plain, Enforced;
    ListDirectoryBuckets Get Service ElsewhereOnly, NotImplemented;

    // Buckets.
    CreateBucket Put Bucket Plain, Enforced;
    HeadBucket Head Bucket Plain, Enforced;
    DeleteBucket Delete Bucket Plain, Enforced;
    ListObjects Get Bucket Plain, Enforced;
    ListObjectsV2 Get Bucket ListType2, Enforced;
    ListObjectVersions Get Bucket Query("versions"), Enforced;
    ListMultipartUploads Get Bucket Query("uploads"), Enforced;
    DeleteObjects Post Bucket Query("delete"), Enforced;
    PostObject Post Bucket Form, Enforced;
    GetBucketLocation Get Bucket Query("location"), Enforced;
    GetBucketVersioning Get Bucket Query("versioning"), Enforced;
    PutBucketVersioning Put Bucket Query("versioning"), Enforced;
    GetBucketTagging Get Bucket Query("tagging"), Enforced;
    PutBucketTagging Put Bucket Query("tagging"), Enforced;
    DeleteBucketTagging Delete Bucket Query("tagging"), Enforced;
    GetBucketCors Get Bucket Query("cors"), Enforced;
    PutBucketCors Put Bucket Query("cors"), Enforced;
    DeleteBucketCors Delete Bucket Query("cors"), Enforced;

    // Objects.
    GetObject Get Object Plain, Enforced;
    HeadObject Head Object Plain, Enforced;
    PutObject Put Object Plain, Enforced;
    CopyObject Put Object CopySource(None), Enforced;
    DeleteObject Delete Object Plain, Enforced;
    GetObjectAttributes Get Object Query("attributes"), Enforced;
    GetObjectTagging Get Object Query("tagging"), Enforced;
    PutObjectTagging Put Object Query("tagging"), Enforced;
    DeleteObjectTagging Delete Object Query("tagging"), Enforced;
    RenameObject Put Object Query("renameObject"), Enforced;

    // Multipart uploads.
    CreateMultipartUpload Post Object Query("uploads"), Enforced;
    UploadPart Put Object Query("uploadId"), Enforced;
    UploadPartCopy Put Object CopySource(Some("uploadId")), Enforced;
    CompleteMultipartUpload Post Object Query("uploadId"), Enforced;
    AbortMultipartUpload Delete Object Query("uploadId"), Enforced;
    ListParts Get Object Query("uploadId"), Enforced;

    // Browsers ask before they send (Fetch standard, "CORS-preflight request").
    Preflight Options Object Plain, Enforced;

    // Settings that do not exist here: reading them says so, changing them is refused.
    GetBucketPolicy Get Bucket Query("policy"), NeverConfigured(ErrorCode::NoSuchBucketPolicy);
    PutBucketPolicy Put Bucket Query("policy"), NotImplemented;
    DeleteBucketPolicy Delete Bucket Query("policy"), NotImplemented;
    GetBucketPolicyStatus Get Bucket Query("policyStatus"), NeverConfigured(ErrorCode::NoSuchBucketPolicy);
    GetBucketLifecycleConfiguration Get Bucket Query("lifecycle"), NeverConfigured(ErrorCode::NoSuchLifecycleConfiguration);
    PutBucketLifecycleConfiguration Put Bucket Query("lifecycle"), NotImplemented;
    DeleteBucketLifecycle Delete Bucket Query("lifecycle"), NotImplemented;
    GetBucketEncryption Get Bucket Query("encryption"), NeverConfigured(ErrorCode::ServerSideEncryptionConfigurationNotFoundError);
    PutBucketEncryption Put Bucket Query("encryption"), NotImplemented;
    DeleteBucketEncryption Delete Bucket Query("encryption"), NotImplemented;
    GetBucketReplication Get Bucket Query("replication"), NeverConfigured(ErrorCode::ReplicationConfigurationNotFoundError);
    PutBucketReplication Put Bucket Query("replication"), NotImplemented;
    DeleteBucketReplication Delete Bucket Query("replication"), NotImplemented;
    GetObjectLockConfiguration Get Bucket Query("object-lock"), NeverConfigured(ErrorCode::ObjectLockConfigurationNotFoundError);
    PutObjectLockConfiguration Put Bucket Query("object-lock"), NotImplemented;
    GetBucketWebsite Get Bucket Query("website"), NeverConfigured(ErrorCode::NoSuchWebsiteConfiguration);
    PutBucketWebsite Put Bucket Query("website"), NotImplemented;
    DeleteBucketWebsite Delete Bucket Query("website"), NotImplemented;
    GetBucketOwnershipControls Get Bucket Query("ownershipControls"), NeverConfigured(ErrorCode::OwnershipControlsNotFoundError);
    PutBucketOwnershipControls Put Bucket Query("ownershipControls"), NotImplemented;
    DeleteBucketOwnershipControls Delete Bucket Query("ownershipControls"), NotImplemented;
    GetPublicAccessBlock Get Bucket Query("publicAccessBlock"), NeverConfigured(ErrorCode::NoSuchPublicAccessBlockConfiguration);
    PutPublicAccessBlock Put Bucket Query("publicAccessBlock"), NotImplemented;
    DeletePublicAccessBlock Delete Bucket Query("publicAccessBlock"), NotImplemented;

    // Not implemented: buckets.
    GetBucketAbac Get Bucket Query("abac"), NotImplemented;
    PutBucketAbac Put Bucket Query("abac"), NotImplemented;
    GetBucketAccelerateConfiguration Get Bucket Query("accelerate"), NotImplemented;
    PutBucketAccelerateConfiguration Put Bucket Query("accelerate"), NotImplemented;
    GetBucketAcl Get Bucket Query("acl"), NotImplemented;
    PutBucketAcl Put Bucket Query("acl"), NotImplemented;
    GetBucketLogging Get Bucket Query("logging"), NotImplemented;
    PutBucketLogging Put Bucket Query("logging"), NotImplemented;
    GetBucketNotificationConfiguration Get Bucket Query("notification"), NotImplemented;
    PutBucketNotificationConfiguration Put Bucket Query("notification"), NotImplemented;
    GetBucketRequestPayment Get Bucket Query("requestPayment"), NotImplemented;
    PutBucketRequestPayment Put Bucket Query("requestPayment"), NotImplemented;
    GetBucketAnalyticsConfiguration Get Bucket QueryWith("analytics", "id"), NotImplemented;
    ListBucketAnalyticsConfigurations Get Bucket Query("analytics"), NotImplemented;
    PutBucketAnalyticsConfiguration Put Bucket Query("analytics"), NotImplemented;
    DeleteBucketAnalyticsConfiguration Delete Bucket Query("analytics"), NotImplemented;
    GetBucketIntelligentTieringConfiguration Get Bucket QueryWith("intelligent-tiering", "id"), NotImplemented;
    ListBucketIntelligentTieringConfigurations Get Bucket Query("intelligent-tiering"), NotImplemented;
    PutBucketIntelligentTieringConfiguration Put Bucket Query("intelligent-tiering"), NotImplemented;
    DeleteBucketIntelligentTieringConfiguration Delete Bucket Query("intelligent-tiering"), NotImplemented;
    GetBucketInventoryConfiguration Get Bucket QueryWith("inventory", "id"), NotImplemented;
    ListBucketInventoryConfigurations Get Bucket Query("inventory"), NotImplemented;
    PutBucketInventoryConfiguration Put Bucket Query("inventory"), NotImplemented;
    DeleteBucketInventoryConfiguration Delete Bucket Query("inventory"), NotImplemented;
    GetBucketMetricsConfiguration Get Bucket QueryWith("metrics", "id"), NotImplemented;
    ListBucketMetricsConfigurations Get Bucket Query("metrics"), NotImplemented;
    PutBucketMetricsConfiguration Put Bucket Query("metrics"), NotImplemented;
    DeleteBucketMetricsConfiguration Delete Bucket Query("metrics"), NotImplemented;
    CreateBucketMetadataConfiguration Post Bucket Query("metadataConfiguration"), NotImplemented;
    GetBucketMetadataConfiguration Get Bucket Query("metadataConfiguration"), NotImplemented;
    DeleteBucketMetadataConfiguration Delete Bucket Query("metadataConfiguration"), NotImplemented;
    CreateBucketMetadataTableConfiguration Post Bucket Query("metadataTable"), NotImplemented;
    GetBucketMetadataTableConfiguration Get Bucket Query("metadataTable"), NotImplemented;
    DeleteBucketMetadataTableConfiguration Delete Bucket Query("metadataTable"), NotImplemented;
    UpdateBucketMetadataInventoryTableConfiguration Put Bucket Query("metadataInventoryTable"), NotImplemented;
    UpdateBucketMetadataJournalTableConfiguration Put Bucket Query("metadataJournalTable"), NotImplemented;
    CreateSession Get Bucket Query("session"), NotImplemented;

    // Not implemented: objects.
    GetObjectAcl Get Object Query("acl"), NotImplemented;
    PutObjectAcl Put Object Query("acl"), NotImplemented;
    GetObjectLegalHold Get Object Query("legal-hold"), NotImplemented;
    PutObjectLegalHold Put Object Query("legal-hold"), NotImplemented;
    GetObjectRetention Get Object Query("retention"), NotImplemented;
    PutObjectRetention Put Object Query("retention"), NotImplemented;
    GetObjectTorrent Get Object Query("torrent"), NotImplemented;
    RestoreObject Post Object Query("restore"), NotImplemented;
    SelectObjectContent Post Object Query("select"), NotImplemented;
    UpdateObjectEncryption Put Object Query("encryption"), NotImplemented;
    WriteGetObjectResponse Post Service ElsewhereOnly, NotImplemented;
}

/// Names that AWS keeps for older forms of the same request: the request is the same, so is the answer.
pub const OLD_NAMES: &[(&str, Operation)] = &[
    ("GetBucketLifecycle", Operation::GetBucketLifecycleConfiguration),
    ("PutBucketLifecycle", Operation::PutBucketLifecycleConfiguration),
    ("GetBucketNotification", Operation::GetBucketNotificationConfiguration),
    ("PutBucketNotification", Operation::PutBucketNotificationConfiguration),
];

impl Marker {
    /// The query name that this marker claims, so that its presence alone already decides.
    pub fn sub_resource(self) -> Option<&'static str> {
        match self {
            Query(name) | QueryWith(name, _) | CopySource(Some(name)) => Some(name),
            Plain | ListType2 | CopySource(None) | Form | ElsewhereOnly => None,
        }
    }
}
