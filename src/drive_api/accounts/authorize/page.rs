//! The pages of `/oauth2/authorize`: without scripts, images or anything from elsewhere.
//! Invariant: every text that came from outside is escaped; a page cannot be framed, and its form goes to this node only.

use std::fmt::Write as _;

use axum::response::Response;
use http::StatusCode;

use super::Ask;
use crate::drive_api::auth::AuthError;
use crate::drive_api::html::{Page, escaped};
use crate::services::Secret;

const STYLE: &str = "\
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:Canvas;color:CanvasText}
main{width:min(24rem,100% - 3rem);padding:2rem 0}
h1{font-size:1.5rem;margin:0 0 1rem}
label{display:block;margin:1rem 0 .25rem}
input{box-sizing:border-box;width:100%;padding:.6rem;font:inherit;border:1px solid GrayText;border-radius:.4rem}
button{margin:1.5rem 0 0;width:100%;padding:.7rem;font:inherit;font-weight:600;border:0;border-radius:.4rem;background:#8a4b1f;color:#fff}
code{display:block;padding:.8rem;border:1px solid GrayText;border-radius:.4rem;overflow-wrap:anywhere;user-select:all}
p.problem{color:#b3261e;font-weight:600}
@media(prefers-color-scheme:dark){p.problem{color:#ff9a90}}
a{color:LinkText}";

/// Asks for the password; `error`: why the last one did not do.
pub fn sign_in(ask: &Ask, error: Option<&AuthError>) -> Response {
    let mut main =
        format!("<h1>Sign in to Onggi</h1><p><b>{}</b> asks for access to your files.", escaped(&ask.client));
    if let Some(redirect) = &ask.redirect {
        let _ = write!(main, " It gets the answer at {}.", escaped(redirect.as_str()));
    }
    main.push_str("</p>");
    if let Some(error) = error {
        error.log();
        let _ = write!(main, "<p class=\"problem\" role=\"alert\">{}</p>", escaped(&sentence(&error.message())));
    }
    main.push_str("<form method=\"post\" action=\"/oauth2/authorize\">");
    let redirect = ask.redirect.as_ref().map(|uri| uri.as_str());
    let hidden = [
        ("response_type", Some("code")),
        ("client_id", Some(ask.client.as_str())),
        ("redirect_uri", redirect),
        ("state", ask.state.as_deref()),
        ("code_challenge", Some(ask.challenge.as_str())),
        ("code_challenge_method", Some("S256")),
        ("token_access_type", ask.access_type.as_deref()),
    ];
    for (name, value) in hidden {
        if let Some(value) = value {
            let _ = write!(main, "<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escaped(value));
        }
    }
    main.push_str(
        "<label for=\"username\">User name</label>\
         <input id=\"username\" name=\"username\" autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" required autofocus>\
         <label for=\"password\">Password</label>\
         <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\" required>\
         <button>Sign in and allow</button></form>",
    );
    if let Some(cancel) = ask.cancel() {
        let _ = write!(main, "<p><a href=\"{}\">Cancel</a></p>", escaped(&cancel));
    }
    let target = ask.redirect.as_ref().map(|uri| format!(" {}", uri.csp_source())).unwrap_or_default();
    let status = error.map_or(StatusCode::OK, |error| error.answer().0);
    let mut response = page(status, &format!("'self'{target}"), &main);
    if let Some(error) = error {
        error.stamp(&mut response);
    }
    response
}

/// For a client that has no address: the user carries the code.
pub fn code(client: &str, code: &Secret) -> Response {
    let main = format!(
        "<h1>Almost done</h1><p>Copy this code into <b>{}</b>. It is good for ten minutes, once.</p><code>{}</code>",
        escaped(client),
        escaped(code.expose())
    );
    page(StatusCode::OK, "'none'", &main)
}

pub fn problem(problem: &str) -> Response {
    let main =
        format!("<h1>This did not work</h1><p class=\"problem\" role=\"alert\">{}</p>", escaped(&sentence(problem)));
    page(StatusCode::BAD_REQUEST, "'none'", &main)
}

fn page(status: StatusCode, form_action: &str, main: &str) -> Response {
    let body = format!("<main>{main}</main>");
    Page { title: "Onggi", style: STYLE, form_action, body: &body }.response(status)
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}{}", chars.as_str(), if text.ends_with('.') { "" } else { "." })
}

#[cfg(test)]
mod tests {
    use super::sentence;

    #[test]
    fn a_problem_is_said_in_a_sentence() {
        assert_eq!(sentence("the token is not valid"), "The token is not valid.");
    }
}
