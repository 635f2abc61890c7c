//! `/oauth2/authorize`: a user lets a client in (RFC 6749 §4.1, with PKCE).
//! Owns: what a client may ask, and where the answer goes. Does not own: how the page looks (`page`).
//! Invariant: nothing is sent to a redirect URI that is not known; the password goes to this node only.

mod page;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, LOCATION};
use http::{HeaderValue, StatusCode};
use utoipa::{IntoParams, ToSchema};

use crate::drive_api::accounts::Accounts;
use crate::drive_api::accounts::redirect::RedirectUri;
use crate::drive_api::accounts::request_body::{self, Form};
use crate::drive_api::auth::{AuthError, PeerAddress};
use crate::services::Secret;
use crate::services::account_service::{AccountError, Challenge, CodeRequest, SignIn};

const CLIENT_CHARS_MAX: usize = 100;
const STATE_BYTES_MAX: usize = 2000;

/// What the client asks, checked as far as it concerns where the answer goes.
#[derive(Clone, Debug)]
struct Ask {
    client: String,
    redirect: Option<RedirectUri>,
    state: Option<String>,
    challenge: String,
    /// Dropbox's parameter.
    access_type: Option<String>,
}

/// As a client sends a browser here.
#[derive(IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "`Form` reads it field by field, as RFC 6749 §3.1 says")]
struct AuthorizeForm {
    /// `code`.
    response_type: String,
    /// Shown to the user.
    client_id: String,
    /// A loopback address, or one of `web.redirect_uris`. Without it the code is shown to be copied.
    redirect_uri: Option<String>,
    state: Option<String>,
    code_challenge: String,
    /// `S256`.
    code_challenge_method: String,
    /// Dropbox's: `offline` for a refresh token that does not change, `online` for none.
    token_access_type: Option<String>,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "`Form` reads it field by field, as RFC 6749 §3.1 says")]
struct SubmitForm {
    #[serde(flatten)]
    asked: AuthorizeForm,
    username: String,
    password: String,
}

/// The page on which a user lets a client in
///
/// RFC 6749 §4.1, with PKCE.
#[utoipa::path(
    get, path = "/oauth2/authorize", tag = "sign-in", operation_id = "show_authorize", params(AuthorizeForm), security(()),
    responses(
        (status = 200, description = "The page.", body = String, content_type = "text/html"),
        (status = 303, description = "To the client, with `error`."),
        (status = "default", description = "A page that says what is wrong.", body = String, content_type = "text/html"),
    ),
)]
pub async fn show(State(accounts): State<Accounts>, request: Request) -> Response {
    let form = Form::parse(request.uri().query().unwrap_or("").as_bytes());
    match Ask::parse(&form, &accounts.redirect_uris) {
        Ok(ask) => match ask.code_request(&form) {
            Ok(_) => page::sign_in(&ask, None),
            Err(problem) => ask.refused("invalid_request", problem),
        },
        Err(problem) => page::problem(problem),
    }
}

/// What that page sends
#[utoipa::path(
    post, path = "/oauth2/authorize", tag = "sign-in", operation_id = "submit_authorize", security(()),
    request_body(content = SubmitForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The code, to be copied.", body = String, content_type = "text/html"),
        (status = 303, description = "To the client, with `code` or `error`."),
        (status = "default", description = "A page that says what is wrong.", body = String, content_type = "text/html"),
    ),
)]
pub async fn submit(State(accounts): State<Accounts>, address: PeerAddress, request: Request) -> Response {
    if let Err(error) = request_body::refuse_other_sites(request.headers()) {
        return error.into_response();
    }
    let form = match Form::read(request.into_body()).await {
        Ok(form) => form,
        Err(error) => return error.into_response(),
    };
    let ask = match Ask::parse(&form, &accounts.redirect_uris) {
        Ok(ask) => ask,
        Err(problem) => return page::problem(problem),
    };
    let code_request = match ask.code_request(&form) {
        Ok(code_request) => code_request,
        Err(problem) => return ask.refused("invalid_request", problem),
    };
    match sign_in(&accounts, &ask, &form, code_request, address).await {
        Ok(code) => ask.granted(&code),
        Err(error) => page::sign_in(&ask, Some(&error)),
    }
}

async fn sign_in(
    accounts: &Accounts,
    ask: &Ask,
    form: &Form,
    code_request: CodeRequest,
    address: PeerAddress,
) -> Result<Secret, AuthError> {
    let sign_in = SignIn {
        user: form.get("username")?.unwrap_or("").trim().to_owned(),
        password: Secret::new(form.get("password")?.unwrap_or("")),
        device: ask.client.clone(),
        client: ask.client.clone(),
        address: address.ip(),
    };
    Ok(accounts.service.authorize_client(sign_in, code_request).await?)
}

impl Ask {
    fn parse(form: &Form, registered: &[String]) -> Result<Self, &'static str> {
        let get = |name| form.get(name).map_err(|_| "A parameter comes twice.");
        let client = get("client_id")?.ok_or("The application did not say its name (client_id).")?;
        let is_shown = client.chars().count() <= CLIENT_CHARS_MAX && !client.chars().any(char::is_control);
        if !is_shown {
            return Err("The name of the application (client_id) is too long.");
        }
        let redirect = match get("redirect_uri")? {
            Some(uri) => Some(RedirectUri::parse(uri, registered).ok_or(
                "The application asks to be answered at an address that this server does not know (redirect_uri).",
            )?),
            None => None,
        };
        let state = get("state")?.map(str::to_owned);
        if state.as_ref().is_some_and(|state| state.len() > STATE_BYTES_MAX) {
            return Err("The application sent a state that is too long.");
        }
        let challenge = get("code_challenge")?.unwrap_or("").to_owned();
        Ok(Self {
            client: client.to_owned(),
            redirect,
            state,
            challenge,
            access_type: get("token_access_type")?.map(str::to_owned),
        })
    }

    /// What is wrong from here on, the client is told.
    fn code_request(&self, form: &Form) -> Result<CodeRequest, &'static str> {
        let get = |name| form.get(name).map_err(|_| "a parameter comes twice");
        if get("response_type")? != Some("code") {
            return Err("response_type must be code");
        }
        if get("code_challenge_method")? != Some("S256") {
            return Err("PKCE is required: code_challenge_method must be S256");
        }
        let challenge = Challenge::parse(&self.challenge).ok_or("code_challenge must be a SHA-256 in base64url")?;
        let (offline, rotates) = match self.access_type.as_deref() {
            None => (true, true),
            // Its SDKs keep the refresh token that they got first.
            Some("offline") => (true, false),
            Some("online") => (false, true),
            Some(_) => return Err("token_access_type must be online or offline"),
        };
        let redirect_uri = self.redirect.as_ref().map(|uri| uri.as_str().to_owned());
        Ok(CodeRequest { challenge, redirect_uri, offline, rotates })
    }

    fn granted(&self, code: &Secret) -> Response {
        match &self.redirect {
            Some(uri) => self.redirected(uri, &[("code", code.expose())]),
            None => page::code(&self.client, code),
        }
    }

    fn refused(&self, error: &'static str, problem: &'static str) -> Response {
        match &self.redirect {
            Some(uri) => self.redirected(uri, &[("error", error), ("error_description", problem)]),
            None => page::problem(problem),
        }
    }

    fn redirected(&self, uri: &RedirectUri, parameters: &[(&str, &str)]) -> Response {
        let mut parameters = parameters.to_vec();
        parameters.extend(self.state.as_deref().map(|state| ("state", state)));
        let Ok(location) = HeaderValue::try_from(uri.with(&parameters)) else {
            return AuthError(AccountError::Invalid("the redirect URI is not one")).into_response();
        };
        let mut response = (StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response();
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    /// Where "cancel" leads.
    fn cancel(&self) -> Option<String> {
        let uri = self.redirect.as_ref()?;
        let mut parameters = vec![("error", "access_denied")];
        parameters.extend(self.state.as_deref().map(|state| ("state", state)));
        Some(uri.with(&parameters))
    }
}
