//! `POST /users`

use axum::Json;
use axum::extract::State;
use bytes::Bytes;

use crate::admin_api::AdminApi;
use crate::admin_api::error::{AdminError, Result};
use crate::admin_api::message::{CreateUser, User};
use crate::admin_api::operations::wire;
use crate::services::Secret;
use crate::services::account_service::check_password;
use crate::services::identity_service::NewUser;

const NAME_CHARS_MAX: usize = 64;

pub async fn create_user(State(api): State<AdminApi>, body: Bytes) -> Result<Json<User>> {
    let CreateUser { name, admin, quota_bytes, password } = wire::parse(&body)?;
    check_name(&name)?;
    let password = password.map(Secret::new);
    if let Some(password) = &password {
        check_password(&name, password)?;
    }
    let user = api.services.identity.create_user(NewUser { name: name.clone(), admin, quota_bytes }).await?;
    if let Some(password) = password {
        api.services.accounts.set_password(user, &name, password).await?;
    }
    Ok(Json(wire::user(api.services.identity.user_by_name(&name).await?)))
}

/// What is safe in a path, a log line and a table.
fn check_name(name: &str) -> Result<()> {
    let well_formed = |c: char| c.is_alphanumeric() || "-_.@+".contains(c);
    if (1..=NAME_CHARS_MAX).contains(&name.chars().count()) && name.chars().all(well_formed) {
        return Ok(());
    }
    Err(AdminError::invalid(format!(
        "`{}` is no user name: write 1 to {NAME_CHARS_MAX} letters, digits or - _ . @ +",
        name.escape_debug()
    )))
}

#[cfg(test)]
mod tests {
    use super::check_name;

    #[test]
    fn names() {
        for good in ["root", "ana@example.com", "김옹기", "a"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a/b", "a\n", &"x".repeat(65)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
