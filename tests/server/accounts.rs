//! Accounts end to end: who gets in, with what, for how long, and what is left of it on the drive.

mod authorize;
mod matrix;
mod web;

use std::fs;
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use serde_json::json;
use tempfile::TempDir;

use crate::node::{Node, error_of};
use crate::place::three_nodes;
use crate::secrets::{holds, list};
use web::{PASSWORD, Proof, call, create_user, form, get, is_in, refresh, sign_in};

#[tokio::test]
async fn a_sign_in_lives_from_refresh_to_refresh() {
    let node = Node::start(&[]);
    create_user(&node, "ana");
    let first = sign_in(&node, "ana", PASSWORD).await;
    assert_eq!((first.status, first.header("cache-control")), (StatusCode::OK, "no-store"), "{}", first.text);
    assert_eq!((first.text_of("token_type"), &first.json()["expires_in"]), ("bearer".into(), &14400.into()));
    assert_eq!(first.text_of("account_id").len(), 40);
    let (access, token) = (first.text_of("access_token"), first.text_of("refresh_token"));
    let sessions = get(&node, Proof::Bearer(&access), "/account/sessions").await.json();
    let session = &sessions["sessions"][0];
    assert_eq!((&session["device"], &session["current"]), (&json!("laptop"), &json!(true)), "{sessions}");

    let made_up = format!("{}{}", &token[..30], "A".repeat(38));
    assert_eq!(refresh(&node, &made_up).await.status, StatusCode::BAD_REQUEST);
    let second = refresh(&node, &token).await;
    let (newer_access, newer) = (second.text_of("access_token"), second.text_of("refresh_token"));
    assert_ne!((&newer_access, &newer), (&access, &token));
    assert!(is_in(&node, Proof::Bearer(&access)).await, "it lives its four hours");
    assert!(is_in(&node, Proof::Bearer(&newer_access)).await);
    // The answer was lost: the old one is good for a moment more, and what it got instead is not.
    let again = refresh(&node, &token).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.text);
    let reused = refresh(&node, &newer).await;
    assert_eq!((reused.status, reused.text_of("error")), (StatusCode::BAD_REQUEST, "invalid_grant".into()));
    assert!(!is_in(&node, Proof::Bearer(&newer_access)).await, "the whole sign-in is over");
    assert_eq!(refresh(&node, &again.text_of("refresh_token")).await.status, StatusCode::BAD_REQUEST);

    let third = sign_in(&node, "ana", PASSWORD).await;
    let access = third.text_of("access_token");
    for _ in 0..2 {
        let revoked = form(&node, "/oauth2/revoke", &[("token", &third.text_of("refresh_token"))]).await;
        assert_eq!(revoked.status, StatusCode::OK, "revoked once is revoked twice");
    }
    assert!(!is_in(&node, Proof::Bearer(&access)).await);
}

#[tokio::test]
async fn wrong_requests_for_tokens_are_told_apart() {
    let node = Node::start(&[]);
    create_user(&node, "ana");
    let cases: [(&[(&str, &str)], &str); 7] = [
        (&[], "invalid_request"),
        (&[("grant_type", "client_credentials")], "unsupported_grant_type"),
        (&[("grant_type", "password"), ("username", "ana")], "invalid_request"),
        (
            &[("grant_type", "password"), ("username", "ana"), ("username", "ana"), ("password", PASSWORD)],
            "invalid_request",
        ),
        (&[("grant_type", "password"), ("username", "nobody"), ("password", PASSWORD)], "invalid_grant"),
        (&[("grant_type", "refresh_token"), ("refresh_token", "onr_nonsense")], "invalid_grant"),
        (&[("grant_type", "authorization_code"), ("code", "onc_x"), ("client_id", "c")], "invalid_request"),
    ];
    for (fields, code) in cases {
        let answer = form(&node, "/oauth2/token", fields).await;
        assert_eq!((answer.status, answer.text_of("error").as_str()), (StatusCode::BAD_REQUEST, code), "{fields:?}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn an_app_password_works_until_it_is_revoked() {
    let node = Node::start(&[]);
    create_user(&node, "ana");
    create_user(&node, "bob");
    let access = sign_in(&node, "ana", PASSWORD).await.text_of("access_token");
    let owner = Proof::Bearer(&access);
    let made = call(&node, owner, Method::POST, "/account/app_passwords", Some(json!({"name": "backup"}))).await;
    let (id, password) = (made.text_of("id"), made.text_of("password"));
    assert!(is_in(&node, Proof::Basic("ana", &password)).await);
    assert!(!is_in(&node, Proof::Basic("bob", &password)).await, "under another name");
    assert!(!is_in(&node, Proof::Basic("ana", PASSWORD)).await, "the password itself is for signing in");
    assert!(!is_in(&node, Proof::Bearer(&password)).await, "in another's place");

    let listed = get(&node, owner, "/account/app_passwords").await;
    assert!(!listed.text.contains(&password), "it is shown once");
    assert_eq!(listed.json()["app_passwords"][0]["name"], "backup");
    let as_app = Proof::Basic("ana", &password);
    let refused = call(&node, as_app, Method::POST, "/account/app_passwords", Some(json!({"name": "more"}))).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text);
    let by_bob = sign_in(&node, "bob", PASSWORD).await.text_of("access_token");
    let path = format!("/account/app_passwords/{id}");
    assert_eq!(call(&node, Proof::Bearer(&by_bob), Method::DELETE, &path, None).await.status, StatusCode::NOT_FOUND);
    assert!(is_in(&node, as_app).await);
    assert_eq!(call(&node, owner, Method::DELETE, &path, None).await.status, StatusCode::NO_CONTENT);
    assert!(!is_in(&node, as_app).await);
    assert_eq!(call(&node, owner, Method::DELETE, &path, None).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_page_has_a_cookie_and_shows_that_it_is_ours() {
    let node = Node::start(&[]);
    create_user(&node, "ana");
    let credentials = Some(json!({"user": "ana", "password": PASSWORD}));
    let opened = call(&node, Proof::None, Method::POST, "/console/session", credentials).await;
    assert_eq!(opened.status, StatusCode::OK, "{}", opened.text);
    let attributes = opened.header("set-cookie");
    for attribute in ["Path=/", "Secure", "HttpOnly", "SameSite=Strict"] {
        assert!(attributes.contains(attribute), "{attributes}");
    }
    let (cookie, csrf) = (opened.cookie(), opened.text_of("csrf"));
    assert!(!opened.text.contains(&cookie), "scripts never see the cookie");
    let shown = get(&node, Proof::Page(&cookie, None), "/console/session").await;
    assert_eq!((shown.text_of("user"), shown.text_of("csrf")), ("ana".into(), csrf.clone()));
    assert_eq!(shown.cookie(), cookie);

    let make = Some(json!({"name": "x"}));
    for wrong in [None, Some(""), Some("wrong"), Some(cookie.as_str())] {
        let page = Proof::Page(&cookie, wrong);
        let refused = call(&node, page, Method::POST, "/account/app_passwords", make.clone()).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{wrong:?}");
        assert_eq!(call(&node, page, Method::DELETE, "/console/session", None).await.status, StatusCode::FORBIDDEN);
    }
    let page = Proof::Page(&cookie, Some(&csrf));
    assert_eq!(call(&node, page, Method::POST, "/account/app_passwords", make).await.status, StatusCode::OK);
    let closed = call(&node, page, Method::DELETE, "/console/session", None).await;
    assert!(closed.status == StatusCode::NO_CONTENT && closed.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(get(&node, page, "/console/session").await.status, StatusCode::UNAUTHORIZED);
    let wrong = Some(json!({"user": "ana", "password": "wrong"}));
    assert_eq!(
        call(&node, Proof::None, Method::POST, "/console/session", wrong).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn a_new_password_ends_what_was_got_with_the_old_one() {
    let node = Node::start(&[]);
    create_user(&node, "ana");
    let (one, other) = (sign_in(&node, "ana", PASSWORD).await, sign_in(&node, "ana", PASSWORD).await);
    let (one, other) = (one.text_of("access_token"), other.text_of("access_token"));
    let (asking, elsewhere) = (Proof::Bearer(&one), Proof::Bearer(&other));
    let made = call(&node, asking, Method::POST, "/account/app_passwords", Some(json!({"name": "a"}))).await;
    let app_password = made.text_of("password");
    let change = async |old: &str, new: &str| {
        let body = Some(json!({"old": old, "new": new}));
        call(&node, asking, Method::POST, "/account/password", body).await
    };
    assert_eq!(change("wrong", "another password").await.status, StatusCode::UNAUTHORIZED);
    let short = change(PASSWORD, "short").await;
    assert_eq!((short.status, short.text.contains("8 characters")), (StatusCode::BAD_REQUEST, true), "{}", short.text);
    assert!(is_in(&node, elsewhere).await);
    assert_eq!(change(PASSWORD, "another password").await.status, StatusCode::NO_CONTENT);
    assert!(is_in(&node, asking).await, "the one that asks goes on");
    assert!(!is_in(&node, elsewhere).await);
    assert!(is_in(&node, Proof::Basic("ana", &app_password)).await);
    assert_eq!(sign_in(&node, "ana", PASSWORD).await.status, StatusCode::BAD_REQUEST);

    node.admin_with_input(&["user", "set-password", "ana", "--password-stdin"], "by the operator\n");
    assert_gone_soon(&node, &[asking, Proof::Basic("ana", &app_password)]).await;
    assert_eq!(sign_in(&node, "ana", "by the operator").await.status, StatusCode::OK);
    let refused = node.admin_input(&["user", "create", "eve", "--password-stdin"], "eve");
    assert!(error_of(&refused).contains("8 characters"), "{}", error_of(&refused));
    let users = node.admin_json(&["user", "list"]);
    assert!(!users.to_string().contains("eve"), "a user whose password is refused is not made");
}

/// On every node, whichever the operator asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_disabled_is_out_within_a_second_everywhere() {
    let directory = TempDir::new().unwrap();
    let (_, [first, second, third]) = three_nodes(&directory);
    create_user(&first, "ana");
    let signed_in = sign_in(&second, "ana", PASSWORD).await;
    let (access, token) = (signed_in.text_of("access_token"), signed_in.text_of("refresh_token"));
    let proof = Proof::Bearer(&access);
    let made = call(&third, proof, Method::POST, "/account/app_passwords", Some(json!({"name": "a"}))).await;
    let password = made.text_of("password");
    let proofs = [proof, Proof::Basic("ana", &password)];
    for node in [&first, &second, &third] {
        assert!(is_in(node, proofs[0]).await && is_in(node, proofs[1]).await);
    }
    third.admin_ok(&["user", "disable", "ana"]);
    futures::join!(
        assert_gone_soon(&first, &proofs),
        assert_gone_soon(&second, &proofs),
        assert_gone_soon(&third, &proofs)
    );
    assert_eq!(refresh(&first, &token).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(sign_in(&first, "ana", PASSWORD).await.status, StatusCode::BAD_REQUEST);
    first.admin_ok(&["user", "enable", "ana"]);
    assert!(is_in(&second, proof).await, "disabled is not deleted");
    first.admin_ok(&["user", "delete", "ana"]);
    futures::join!(assert_gone_soon(&first, &proofs), assert_gone_soon(&second, &proofs));
}

#[tokio::test]
async fn whoever_is_wrong_too_often_has_to_wait() {
    let node = Node::start(&[]);
    create_user(&node, "ana");
    create_user(&node, "bob");
    let before = sign_in(&node, "ana", PASSWORD).await.text_of("access_token");
    for attempt in 0..10 {
        assert_eq!(sign_in(&node, "ana", "wrong").await.status, StatusCode::BAD_REQUEST, "attempt {attempt}");
    }
    for password in ["wrong", PASSWORD] {
        let refused = sign_in(&node, "ana", password).await;
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "{}", refused.text);
        let wait: u64 = refused.header("retry-after").parse().unwrap();
        assert!((1..=30).contains(&wait), "{wait}");
    }
    assert!(is_in(&node, Proof::Bearer(&before)).await, "programs of hers go on");
    assert_eq!(sign_in(&node, "bob", PASSWORD).await.status, StatusCode::OK, "and so does everybody else");
    let limited = async |answer: StatusCode| answer == StatusCode::TOO_MANY_REQUESTS;
    let mut slowed = false;
    for _ in 0..120 {
        slowed |= limited(get(&node, Proof::Bearer("ona_guess"), "/account/sessions").await.status).await;
    }
    assert!(slowed, "an address that guesses tokens is slowed down");
    assert!(is_in(&node, Proof::Bearer(&before)).await, "but a right one is let in");
}

#[tokio::test]
async fn nothing_that_opens_a_door_is_on_the_drive_or_in_the_log() {
    let directory = TempDir::new().unwrap();
    let (data_dir, log) = (directory.path().join("data"), directory.path().join("log"));
    let mut command = crate::node::server(&data_dir);
    command.args(["--log", "trace,openraft=error"]).stderr(fs::File::create(&log).unwrap());
    command.env("ONGGI_ROOT_ACCESS_KEY", crate::node::ACCESS_KEY);
    command.env("ONGGI_ROOT_SECRET_KEY", crate::node::SECRET_KEY);
    let node = Node::run(command, &data_dir);
    create_user(&node, "ana");
    let signed_in = sign_in(&node, "ana", PASSWORD).await;
    let access = signed_in.text_of("access_token");
    let renewed = refresh(&node, &signed_in.text_of("refresh_token")).await;
    let made =
        call(&node, Proof::Bearer(&access), Method::POST, "/account/app_passwords", Some(json!({"name": "a"}))).await;
    let credentials = Some(json!({"user": "ana", "password": PASSWORD}));
    let page = call(&node, Proof::None, Method::POST, "/console/session", credentials).await;
    let code = authorize::code(&node, "ana", &[]).await;
    assert!(is_in(&node, Proof::Basic("ana", &made.text_of("password"))).await);
    sign_in(&node, "ana", "a wrong canary password").await;
    assert!(node.terminate().success());

    let secrets = [
        PASSWORD.to_owned(),
        "a wrong canary password".to_owned(),
        access,
        signed_in.text_of("refresh_token"),
        renewed.text_of("access_token"),
        renewed.text_of("refresh_token"),
        made.text_of("password"),
        page.cookie(),
        code,
    ];
    // Without the prefix and the ids, which are no secret.
    let secrets: Vec<&[u8]> =
        secrets.iter().map(|secret| if secret.len() == 68 { &secret[30..] } else { secret }.as_bytes()).collect();
    let mut files = vec![log];
    list(&data_dir, &mut files);
    assert!(files.len() > 5, "{files:?}");
    for path in files {
        let found = holds(&fs::read(&path).unwrap(), &secrets);
        assert_eq!(found, None, "secret {found:?} in {}", path.display());
    }
}

async fn assert_gone_soon(node: &Node, proofs: &[Proof<'_>]) {
    let begun = Instant::now();
    for proof in proofs {
        while is_in(node, *proof).await {
            assert!(begun.elapsed() < Duration::from_secs(1), "{proof:?} is in after {:?}", begun.elapsed());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
