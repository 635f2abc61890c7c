//! Credentials: the secret that authentication asks for; whose it is comes with it.

use crate::s3_api::auth::SecretKey;
use crate::s3_api::error::Result;
use crate::services::{Error, Principal, Services};

/// Of an access key that exists and is enabled. `found` counts only once the signature has been verified.
pub async fn secret_of(
    services: &Services,
    access_key: String,
    found: &mut Option<Principal>,
) -> Result<Option<SecretKey>> {
    match services.identity.credentials(&access_key).await {
        Ok(credentials) => {
            *found = Some(credentials.principal);
            Ok(Some(credentials.secret))
        }
        Err(Error::UnknownAccessKey | Error::Disabled) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
