//! Error codes: the closed set of S3 error codes, each with its status and the message AWS gives.
//! Source: Amazon S3 API Reference, "Error responses — List of error codes".

use http::StatusCode;

macro_rules! error_codes {
    ($($name:ident $status:ident $message:literal;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode { $($name,)* }

        impl ErrorCode {
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$name,)*];

            /// The text in `<Code>`: what clients decide on.
            pub fn as_str(self) -> &'static str {
                match self { $(ErrorCode::$name => stringify!($name),)* }
            }

            pub fn status(self) -> StatusCode {
                match self { $(ErrorCode::$name => StatusCode::$status,)* }
            }

            pub fn default_message(self) -> &'static str {
                match self { $(ErrorCode::$name => $message,)* }
            }
        }
    };
}

error_codes! {
    // Who asks.
    AccessDenied FORBIDDEN "Access Denied";
    AccessForbidden FORBIDDEN "CORSResponse: This CORS request is not allowed. This is usually because the evaluation of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.";
    AuthorizationHeaderMalformed BAD_REQUEST "The authorization header that you provided is not valid.";
    AuthorizationQueryParametersError BAD_REQUEST "The authorization query parameters that you provided are not valid.";
    CredentialsNotSupported BAD_REQUEST "This request does not support credentials.";
    ExpiredToken BAD_REQUEST "The provided token has expired.";
    InvalidAccessKeyId FORBIDDEN "The AWS Access Key Id you provided does not exist in our records.";
    InvalidToken BAD_REQUEST "The provided token is malformed or otherwise not valid.";
    MissingSecurityHeader BAD_REQUEST "Your request was missing a required header.";
    RequestTimeTooSkewed FORBIDDEN "The difference between the request time and the current time is too large.";
    SignatureDoesNotMatch FORBIDDEN "The request signature we calculated does not match the signature you provided. Check your key and signing method.";

    // The request itself.
    BadRequest BAD_REQUEST "Bad Request";
    IllegalVersioningConfigurationException BAD_REQUEST "The versioning configuration specified in the request is not valid.";
    IllegalLocationConstraintException BAD_REQUEST "The specified location constraint is not valid.";
    InvalidArgument BAD_REQUEST "Invalid Argument";
    InvalidBucketName BAD_REQUEST "The specified bucket is not valid.";
    InvalidLocationConstraint BAD_REQUEST "The specified location constraint is not valid.";
    InvalidRedirectLocation BAD_REQUEST "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.";
    InvalidRequest BAD_REQUEST "Invalid Request";
    InvalidStorageClass BAD_REQUEST "The storage class you specified is not valid.";
    InvalidTag BAD_REQUEST "The tag provided was not a valid tag.";
    InvalidURI BAD_REQUEST "Couldn't parse the specified URI.";
    KeyTooLongError BAD_REQUEST "Your key is too long";
    MetadataTooLarge BAD_REQUEST "Your metadata headers exceed the maximum allowed metadata size";
    MethodNotAllowed METHOD_NOT_ALLOWED "The specified method is not allowed against this resource.";
    NotImplemented NOT_IMPLEMENTED "A header or operation you provided implies functionality that is not implemented.";
    RequestHeaderSectionTooLarge BAD_REQUEST "Your request header section exceeds the maximum allowed size.";
    TooManyBuckets BAD_REQUEST "You have attempted to create more buckets than allowed.";

    // The body.
    BadDigest BAD_REQUEST "The Content-MD5 or checksum value that you specified did not match what the server received.";
    EntityTooLarge BAD_REQUEST "Your proposed upload exceeds the maximum allowed object size.";
    EntityTooSmall BAD_REQUEST "Your proposed upload is smaller than the minimum allowed object size.";
    IncompleteBody BAD_REQUEST "You did not provide the number of bytes specified by the Content-Length HTTP header.";
    InvalidChunkSizeError BAD_REQUEST "Only the last chunk is allowed to have a size less than 8192 bytes";
    InvalidDigest BAD_REQUEST "The Content-MD5 or checksum value that you specified is not valid.";
    MalformedPOSTRequest BAD_REQUEST "The body of your POST request is not well-formed multipart/form-data.";
    MalformedTrailerError BAD_REQUEST "The request contained trailing data that was not well-formed or did not conform to our published schema.";
    MalformedXML BAD_REQUEST "The XML you provided was not well-formed or did not validate against our published schema";
    MaxMessageLengthExceeded BAD_REQUEST "Your request was too large.";
    MaxPostPreDataLengthExceeded BAD_REQUEST "Your POST request fields preceding the upload file were too large.";
    MissingContentLength LENGTH_REQUIRED "You must provide the Content-Length HTTP header.";
    MissingRequestBodyError BAD_REQUEST "Request body is empty.";
    RequestTimeout BAD_REQUEST "Your socket connection to the server was not read from or written to within the timeout period.";
    UnexpectedContent BAD_REQUEST "This request does not support content";
    XAmzContentSHA256Mismatch BAD_REQUEST "The provided 'x-amz-content-sha256' header does not match what was computed.";

    // POST forms.
    IncorrectNumberOfFilesInPostRequest BAD_REQUEST "POST requires exactly one file upload per request.";
    InvalidPolicyDocument BAD_REQUEST "The content of the form does not meet the conditions specified in the policy document.";
    UserKeyMustBeSpecified BAD_REQUEST "The bucket POST must contain the specified field name. If it is specified, check the order of the fields.";

    // What is asked about.
    NoSuchBucket NOT_FOUND "The specified bucket does not exist";
    NoSuchKey NOT_FOUND "The specified key does not exist.";
    NoSuchUpload NOT_FOUND "The specified multipart upload does not exist. The upload ID might be invalid, or the multipart upload might have been aborted or completed.";
    NoSuchVersion NOT_FOUND "The specified version does not exist.";
    NoSuchBucketPolicy NOT_FOUND "The bucket policy does not exist";
    NoSuchCORSConfiguration NOT_FOUND "The CORS configuration does not exist";
    NoSuchLifecycleConfiguration NOT_FOUND "The lifecycle configuration does not exist";
    NoSuchPublicAccessBlockConfiguration NOT_FOUND "The public access block configuration was not found";
    NoSuchTagSet NOT_FOUND "The TagSet does not exist";
    NoSuchWebsiteConfiguration NOT_FOUND "The specified bucket does not have a website configuration";
    ObjectLockConfigurationNotFoundError NOT_FOUND "Object Lock configuration does not exist for this bucket";
    OwnershipControlsNotFoundError NOT_FOUND "The bucket ownership controls were not found";
    ReplicationConfigurationNotFoundError NOT_FOUND "The replication configuration was not found";
    ServerSideEncryptionConfigurationNotFoundError NOT_FOUND "The server side encryption configuration was not found";

    // State that stands in the way.
    BucketAlreadyExists CONFLICT "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.";
    BucketAlreadyOwnedByYou CONFLICT "Your previous request to create the named bucket succeeded and you already own it.";
    BucketNotEmpty CONFLICT "The bucket you tried to delete is not empty";
    ConditionalRequestConflict CONFLICT "The conditional request cannot succeed due to a conflicting operation against this resource.";
    InvalidBucketState CONFLICT "The request is not valid with the current state of the bucket.";
    OperationAborted CONFLICT "A conflicting conditional operation is currently in progress against this resource. Please try again.";
    PreconditionFailed PRECONDITION_FAILED "At least one of the pre-conditions you specified did not hold";
    QuotaExceeded FORBIDDEN "The owner of this bucket has used up the space granted by quota.";

    // Parts and ranges.
    InvalidPart BAD_REQUEST "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.";
    InvalidPartNumber RANGE_NOT_SATISFIABLE "The requested partnumber is not satisfiable";
    InvalidPartOrder BAD_REQUEST "The list of parts was not in ascending order. The parts list must be specified in order by part number.";
    InvalidRange RANGE_NOT_SATISFIABLE "The requested range is not satisfiable";

    // Our side.
    InsufficientStorage INSUFFICIENT_STORAGE "There is not enough space on the server to store the object.";
    InternalError INTERNAL_SERVER_ERROR "We encountered an internal error. Please try again.";
    ServiceUnavailable SERVICE_UNAVAILABLE "Service is unable to handle request.";
    SlowDown SERVICE_UNAVAILABLE "Please reduce your request rate.";
}

#[cfg(test)]
mod tests {
    use super::ErrorCode;

    #[test]
    fn every_code_is_an_error_with_a_message() {
        for code in ErrorCode::ALL {
            assert!(code.status().is_client_error() || code.status().is_server_error(), "{}", code.as_str());
            assert!(!code.default_message().is_empty(), "{}", code.as_str());
        }
    }

    /// The rows of the table in docs that clients decide on.
    #[test]
    fn statuses_that_clients_rely_on() {
        let expected = [
            (ErrorCode::NoSuchKey, 404),
            (ErrorCode::PreconditionFailed, 412),
            (ErrorCode::ConditionalRequestConflict, 409),
            (ErrorCode::BucketAlreadyOwnedByYou, 409),
            (ErrorCode::InvalidRange, 416),
            (ErrorCode::InvalidPartNumber, 416),
            (ErrorCode::MethodNotAllowed, 405),
            (ErrorCode::MissingContentLength, 411),
            (ErrorCode::NotImplemented, 501),
            (ErrorCode::SlowDown, 503),
            (ErrorCode::InsufficientStorage, 507),
            (ErrorCode::SignatureDoesNotMatch, 403),
        ];
        for (code, status) in expected {
            assert_eq!(code.status().as_u16(), status, "{}", code.as_str());
        }
    }
}
