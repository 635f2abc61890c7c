//! Authorisation matrix: every route of accounts, asked by everybody who should not get it.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::web::{PASSWORD, Proof, call, create_user, form, get, sign_in};
use crate::node::Node;

/// Of somebody who is known. `{app}` and `{session}` are ana's.
fn routes() -> Vec<(Method, &'static str, Option<Value>)> {
    vec![
        (Method::GET, "/account/app_passwords", None),
        (Method::POST, "/account/app_passwords", Some(json!({"name": "x"}))),
        (Method::DELETE, "/account/app_passwords/{app}", None),
        (Method::GET, "/account/sessions", None),
        (Method::DELETE, "/account/sessions/{session}", None),
        (Method::POST, "/account/password", Some(json!({"old": PASSWORD, "new": "a new password"}))),
        (Method::GET, "/console/session", None),
        (Method::DELETE, "/console/session", None),
    ]
}

#[tokio::test]
async fn nobody_gets_at_an_account_that_is_not_theirs() {
    let node = Node::start(&[]);
    create_user(&node, "ana");
    create_user(&node, "bob");
    let ana = sign_in(&node, "ana", PASSWORD).await;
    let access = ana.text_of("access_token");
    let owner = Proof::Bearer(&access);
    let made = call(&node, owner, Method::POST, "/account/app_passwords", Some(json!({"name": "a"}))).await;
    let (app, app_password) = (made.text_of("id"), made.text_of("password"));
    let sessions = get(&node, owner, "/account/sessions").await.json();
    let session = sessions["sessions"][0]["id"].as_str().unwrap().to_owned();
    let path_of = |path: &str| path.replace("{app}", &app).replace("{session}", &session);

    let revoked = sign_in(&node, "ana", PASSWORD).await;
    form(&node, "/oauth2/revoke", &[("token", &revoked.text_of("access_token"))]).await;
    let (revoked, refresh) = (revoked.text_of("access_token"), ana.text_of("refresh_token"));
    let flipped = if access.ends_with('A') { "B" } else { "A" };
    let guessed = format!("{}{flipped}", &access[..access.len() - 1]);
    let page =
        call(&node, Proof::None, Method::POST, "/console/session", Some(json!({"user": "ana", "password": PASSWORD})))
            .await;
    let cookie = page.cookie();
    let strangers = [
        ("anonymous", Proof::None),
        ("revoked", Proof::Bearer(&revoked)),
        ("guessed", Proof::Bearer(&guessed)),
        ("a refresh token", Proof::Bearer(&refresh)),
        ("a cookie as a token", Proof::Bearer(&cookie)),
        ("an access token as a cookie", Proof::Page(&access, Some("x"))),
        ("the password", Proof::Basic("ana", PASSWORD)),
        ("an app password of another", Proof::Basic("bob", &app_password)),
    ];
    for (method, path, body) in routes() {
        for (name, stranger) in strangers {
            let answer = call(&node, stranger, method.clone(), &path_of(path), body.clone()).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path} by {name}: {}", answer.text);
            assert_eq!(answer.json()["error"]["code"], "unauthenticated");
        }
        if path.starts_with("/account/") {
            let program = Proof::Basic("ana", &app_password);
            let answer = call(&node, program, method.clone(), &path_of(path), body.clone()).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path} by a program: {}", answer.text);
        }
        if method != Method::GET {
            let forged = Proof::Page(&cookie, None);
            let answer = call(&node, forged, method.clone(), &path_of(path), body.clone()).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path} by another page: {}", answer.text);
        }
    }
    let bob = sign_in(&node, "bob", PASSWORD).await.text_of("access_token");
    for (method, path, _) in routes().into_iter().filter(|(_, path, _)| path.contains('{')) {
        let answer = call(&node, Proof::Bearer(&bob), method.clone(), &path_of(path), None).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {path} by another user");
    }
    assert_eq!(get(&node, owner, "/account/app_passwords").await.json()["app_passwords"].as_array().unwrap().len(), 1);
    assert_eq!(sign_in(&node, "ana", PASSWORD).await.status, StatusCode::OK, "the password is what it was");
}
