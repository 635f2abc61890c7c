//! ListObjectsV2.

use onggi_cluster::metadata::query::After;

use crate::s3_api::error::Result;
use crate::s3_api::listing::{self, Listing};
use crate::s3_api::operations::list_objects::document;
use crate::s3_api::owner;
use crate::s3_api::reply::{self, Reply};
use crate::s3_api::request::Request;
use crate::services::Services;

pub async fn list_objects_v2(services: &Services, request: Request) -> Result<Reply> {
    let listing = Listing::parse(&request.query, "max-keys")?;
    let token = request.query.get("continuation-token");
    let start_after = request.query.get("start-after").filter(|after| !after.is_empty());
    let after = match (token, start_after) {
        (Some(token), _) => Some(After::Marker(listing::parse_token(token)?)),
        (None, Some(after)) => Some(After::Key(after.to_owned())),
        (None, None) => None,
    };
    let bucket = request.bucket()?;
    let page = services.listing.objects(&request.principal, bucket, listing.objects(after)).await?;

    let owner = (request.query.get("fetch-owner") == Some("true")).then(|| owner::of(&request.principal));
    let document = document(bucket, &listing, &page, owner.as_ref());
    let next_token = page.next.as_deref().map(listing::token);
    Ok(reply::xml(document.to_v2(start_after, token, next_token.as_deref())))
}
