//! Password: the rules for one, and its hash.
//! Owns: Argon2id with OWASP's parameters (19 MiB, 2 passes), and how many are computed at once: sign-ins cannot eat the memory.
//! Invariant: a password that cannot be right takes as long as one that is.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::password_hash::{Error as HashError, PasswordHasher as _, PasswordVerifier as _};
use onggi_cluster::metadata::record::PasswordHash;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

use super::error::{AccountError, Result};
use crate::services::Secret;

const CHARS_MIN: usize = 8;
/// Longer than any pass phrase; hashing reads every byte.
const BYTES_MAX: usize = 1024;
/// 19 MiB and a core each.
const AT_ONCE_MAX: usize = 4;
/// Who comes after so many are waiting is told to come back.
const WAITING_MAX: usize = 64;

/// What a new password must be.
pub fn check_password(user: &str, password: &Secret) -> Result<()> {
    let refuse = |rule: String| Err(AccountError::PasswordRule(rule));
    let text = password.expose();
    if text.chars().count() < CHARS_MIN {
        return refuse(format!("the password must have at least {CHARS_MIN} characters"));
    }
    if text.len() > BYTES_MAX {
        return refuse(format!("the password must have at most {BYTES_MAX} bytes"));
    }
    if text.to_lowercase() == user.to_lowercase() {
        return refuse("the password must not be the user name".into());
    }
    Ok(())
}

/// Cheap to clone.
#[derive(Clone)]
pub(super) struct PasswordHasher {
    running: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
}

impl PasswordHasher {
    pub fn new() -> Self {
        let at_once = available_parallelism().map_or(1, NonZeroUsize::get).min(AT_ONCE_MAX);
        let running = Arc::new(Semaphore::new(at_once));
        Self { running, admitted: Arc::new(Semaphore::new(at_once + WAITING_MAX)) }
    }

    pub async fn hash(&self, password: Secret) -> Result<PasswordHash> {
        self.run(move || {
            let phc = Argon2::default().hash_password(password.expose().as_bytes()).map_err(failed)?;
            Ok(PasswordHash { phc: phc.to_string() })
        })
        .await
    }

    /// `None`: there is none to be checked against, and none is right.
    pub async fn verify(&self, password: Secret, hash: Option<PasswordHash>) -> Result<bool> {
        if password.expose().len() > BYTES_MAX {
            return Ok(false);
        }
        self.run(move || {
            let Some(hash) = hash else {
                Argon2::default().hash_password(password.expose().as_bytes()).map_err(failed)?;
                return Ok(false);
            };
            let phc = Phc::new(&hash.phc).map_err(|error| AccountError::Hashing(error.to_string()))?;
            match Argon2::default().verify_password(password.expose().as_bytes(), &phc) {
                Ok(()) => Ok(true),
                Err(HashError::PasswordInvalid) => Ok(false),
                Err(error) => Err(failed(error)),
            }
        })
        .await
    }

    /// The permits are the thread's: a client that goes away frees nothing early.
    async fn run<T: Send + 'static>(&self, compute: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let admitted = self.admitted.clone().try_acquire_owned().map_err(|_| AccountError::Busy)?;
        let running = self.running.clone().acquire_owned().await.map_err(|_| AccountError::Busy)?;
        let permits: [OwnedSemaphorePermit; 2] = [admitted, running];
        let job = spawn_blocking(move || {
            let computed = compute();
            drop(permits);
            computed
        });
        job.await.map_err(|panic| AccountError::Hashing(panic.to_string()))?
    }
}

fn failed(error: HashError) -> AccountError {
    AccountError::Hashing(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules() {
        let check = |password: &str| match check_password("AnnMiller", &Secret::new(password)) {
            Ok(()) => String::new(),
            Err(error) => error.to_string(),
        };
        assert_eq!(check("12345678"), "");
        assert_eq!(check("пароль12"), "", "characters are counted, not bytes");
        assert_eq!(check("1234567"), "the password must have at least 8 characters");
        assert_eq!(check("annmiller"), "the password must not be the user name");
        assert_eq!(check(&"x".repeat(1025)), "the password must have at most 1024 bytes");
    }

    #[tokio::test]
    async fn only_the_password_itself_is_right() {
        let hasher = PasswordHasher::new();
        let hash = hasher.hash(Secret::new("correct horse")).await.unwrap();
        assert!(hash.phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.phc);
        assert_ne!(hash, hasher.hash(Secret::new("correct horse")).await.unwrap(), "salted");
        assert!(hasher.verify(Secret::new("correct horse"), Some(hash.clone())).await.unwrap());
        assert!(!hasher.verify(Secret::new("correct hors"), Some(hash.clone())).await.unwrap());
        assert!(!hasher.verify(Secret::new("x".repeat(2000)), Some(hash)).await.unwrap());
        assert!(!hasher.verify(Secret::new("correct horse"), None).await.unwrap());
    }

    #[tokio::test]
    async fn who_comes_too_late_is_told_so() {
        let hasher = PasswordHasher { running: Arc::new(Semaphore::new(0)), admitted: Arc::new(Semaphore::new(1)) };
        let waiting = tokio::spawn({
            let hasher = hasher.clone();
            async move { hasher.verify(Secret::new("a"), None).await }
        });
        while hasher.admitted.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(hasher.verify(Secret::new("b"), None).await, Err(AccountError::Busy)));
        hasher.running.add_permits(1);
        assert!(!waiting.await.unwrap().unwrap());
    }
}
