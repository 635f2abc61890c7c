//! `GET /buckets?user=NAME`

use axum::Json;
use axum::extract::{Query, State};
use onggi_cluster::metadata::record::{UserRecord, Versioning};
use serde::Deserialize;

use crate::admin_api::AdminApi;
use crate::admin_api::error::Result;
use crate::admin_api::message::{Bucket, Buckets};
use crate::services::{BucketName, Principal};

/// Buckets read at once; the answer holds them all.
const PAGE: usize = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    user: Option<String>,
}

pub async fn list_buckets(State(api): State<AdminApi>, Query(filter): Query<Filter>) -> Result<Json<Buckets>> {
    let users = match &filter.user {
        Some(name) => vec![api.services.identity.user_by_name(name).await?],
        None => api.services.identity.users().await?,
    };
    let mut buckets = Vec::new();
    for user in users {
        buckets.extend(buckets_of(&api, user).await?);
    }
    Ok(Json(Buckets { buckets }))
}

async fn buckets_of(api: &AdminApi, user: UserRecord) -> Result<Vec<Bucket>> {
    let owner = user.name.clone();
    let principal = in_the_name_of(user);
    let mut buckets: Vec<Bucket> = Vec::new();
    loop {
        let after = buckets.last().map(|bucket| bucket.name.clone());
        let page = api.services.buckets.list(&principal, "", after, PAGE).await?;
        for record in page.buckets {
            let name = BucketName::parse(&record.name)?;
            let counters = api.services.buckets.counters(&principal, &name).await?;
            buckets.push(Bucket {
                name: record.name,
                owner: owner.clone(),
                created_ms: record.created_ms,
                versioning: versioning(record.versioning).into(),
                objects: counters.objects,
                versions: counters.versions,
                delete_markers: counters.delete_markers,
                uploads: counters.uploads,
                bytes: counters.bytes,
            });
        }
        if !page.is_truncated {
            return Ok(buckets);
        }
    }
}

/// An admin sees every user's buckets; the services know owners only.
fn in_the_name_of(user: UserRecord) -> Principal {
    Principal {
        user: user.id,
        name: user.name,
        admin: user.admin,
        access_key: String::new(),
        quota_bytes: user.quota_bytes,
    }
}

fn versioning(versioning: Versioning) -> &'static str {
    match versioning {
        Versioning::Never => "off",
        Versioning::Enabled => "enabled",
        Versioning::Suspended => "suspended",
        Versioning::Revisions => "revisions",
    }
}
