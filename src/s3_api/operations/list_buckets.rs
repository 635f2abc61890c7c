//! ListBuckets.

use onggi_cluster::metadata::record::BucketRecord;

use crate::s3_api::api::S3Options;
use crate::s3_api::error::{Result, S3Error};
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::request::Request;
use crate::s3_api::xml::bucket_settings::{BucketEntry, BucketListing};
use crate::s3_api::{listing, owner};
use crate::services::Services;

/// Also the answer's size without `max-buckets`: nobody has that many buckets by accident.
const BUCKETS_MAX: u32 = 10_000;

pub async fn list_buckets(services: &Services, options: &S3Options, request: Request) -> Result<Reply> {
    let limit = listing::limit(&request.query, "max-buckets", BUCKETS_MAX)?;
    if limit == 0 {
        let message = "Argument max-buckets must be an integer between 1 and 10000";
        return Err(S3Error::invalid_argument(message, "max-buckets", "0"));
    }
    let prefix = request.query.get("prefix").filter(|prefix| !prefix.is_empty());
    let after = request.query.get("continuation-token").map(listing::parse_token).transpose()?;
    let only_region = request.query.get("bucket-region").filter(|region| !region.is_empty());
    let page = services.buckets.list(&request.principal, prefix.unwrap_or(""), after, limit as usize).await?;

    let entry = |bucket| entry(options, bucket);
    let in_region = |bucket: &&BucketRecord| only_region.is_none_or(|only| only == options.region_of(bucket));
    let next = page.buckets.last().filter(|_| page.is_truncated).map(|bucket| listing::token(&bucket.name));
    let document = BucketListing {
        owner: &owner::of(&request.principal),
        buckets: page.buckets.iter().filter(in_region).map(entry).collect(),
        prefix,
        continuation_token: next.as_deref(),
    };
    Ok(reply::xml(document.to_xml()))
}

fn entry<'a>(options: &'a S3Options, bucket: &'a BucketRecord) -> BucketEntry<'a> {
    BucketEntry { name: &bucket.name, created_ms: bucket.created_ms, region: options.region_of(bucket) }
}
