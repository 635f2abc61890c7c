//! The CORS configuration of a bucket: checked when it is set, stored in the form that `to_xml` gives.

use crate::s3_api::cors::CorsRule;
use crate::s3_api::error::{ErrorCode, Result, S3Error};
use crate::s3_api::xml::reader::{Element, malformed, parse};
use crate::s3_api::xml::writer::XmlWriter;

const RULES_MAX: usize = 100;
/// Amazon S3 User Guide, "CORS configuration". Every request of a browser reads the stored configuration.
const CONFIGURATION_BYTES_MAX: usize = 64 * 1024;
const METHODS: &[&str] = &["GET", "PUT", "POST", "DELETE", "HEAD"];

/// As a client sends it.
pub fn parse_request(document: &[u8]) -> Result<Vec<CorsRule>> {
    if document.len() > CONFIGURATION_BYTES_MAX {
        return Err(S3Error::new(ErrorCode::MaxMessageLengthExceeded)
            .field("MaxMessageLengthBytes", CONFIGURATION_BYTES_MAX.to_string()));
    }
    parse_configuration(document)
}

/// As it is stored, which may be longer than what was sent.
pub fn parse_configuration(document: &[u8]) -> Result<Vec<CorsRule>> {
    let root = parse(document, "CORSConfiguration")?;
    let rules: Vec<_> = root.children("CORSRule").map(parse_rule).collect::<Result<_>>()?;
    if rules.is_empty() || rules.len() > RULES_MAX {
        return Err(malformed());
    }
    Ok(rules)
}

fn parse_rule(element: &Element) -> Result<CorsRule> {
    let list = |name: &str| element.children(name).map(|item| item.text.trim().to_owned()).collect::<Vec<_>>();
    let max_age_seconds = element.text("MaxAgeSeconds").map(str::parse).transpose().map_err(|_| malformed())?;
    let rule = CorsRule {
        id: element.text("ID").map(str::to_owned),
        allowed_origins: list("AllowedOrigin"),
        allowed_methods: list("AllowedMethod"),
        allowed_headers: list("AllowedHeader"),
        expose_headers: list("ExposeHeader"),
        max_age_seconds,
    };
    if rule.allowed_origins.is_empty() || rule.allowed_methods.is_empty() {
        return Err(malformed());
    }
    if let Some(method) = rule.allowed_methods.iter().find(|method| !METHODS.contains(&method.as_str())) {
        return Err(S3Error::invalid_request(format!(
            "Found unsupported HTTP method in CORS config. Unsupported method is {method}"
        )));
    }
    let patterns = rule.allowed_origins.iter().chain(&rule.allowed_headers);
    if let Some(pattern) = patterns.into_iter().find(|pattern| pattern.matches('*').count() > 1) {
        return Err(S3Error::invalid_request(format!("\"{pattern}\" can not have more than one wildcard.")));
    }
    if let Some(header) = rule.expose_headers.iter().find(|header| header.contains('*')) {
        return Err(S3Error::invalid_request(format!(
            "ExposeHeader \"{header}\" contains wildcard. We currently do not support wildcard for ExposeHeader."
        )));
    }
    Ok(rule)
}

pub fn to_xml(rules: &[CorsRule]) -> String {
    XmlWriter::root("CORSConfiguration", |xml| {
        for rule in rules {
            xml.nest("CORSRule", |xml| {
                let mut list = |name: &str, items: &[String]| items.iter().for_each(|item| xml.text(name, item));
                list("ID", rule.id.as_slice());
                list("AllowedOrigin", &rule.allowed_origins);
                list("AllowedMethod", &rule.allowed_methods);
                list("AllowedHeader", &rule.allowed_headers);
                list("ExposeHeader", &rule.expose_headers);
                if let Some(seconds) = rule.max_age_seconds {
                    xml.number("MaxAgeSeconds", seconds);
                }
            });
        }
    })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::{parse_configuration, parse_request, to_xml};

    fn checked(rule: &str) -> String {
        let document = format!("<CORSConfiguration><CORSRule>{rule}</CORSRule></CORSConfiguration>");
        parse_configuration(document.as_bytes())
            .map_or_else(|error| error.code.as_str().to_owned(), |rules| to_xml(&rules))
    }

    #[test]
    fn rules() {
        let rule = "<ID>r</ID><AllowedMethod>GET</AllowedMethod><Unknown/><AllowedMethod>PUT</AllowedMethod><AllowedOrigin>https://*.a</AllowedOrigin><AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>5</MaxAgeSeconds>";
        let canonical = checked(rule);
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <CORSConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><CORSRule><ID>r</ID><AllowedOrigin>https://*.a</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod><AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>5</MaxAgeSeconds></CORSRule></CORSConfiguration>"#]].assert_eq(&canonical);
        assert_eq!(to_xml(&parse_configuration(canonical.as_bytes()).unwrap()), canonical);
    }

    #[test]
    fn refused() {
        let get = "<AllowedMethod>GET</AllowedMethod>";
        let any = "<AllowedOrigin>*</AllowedOrigin>";
        assert_eq!(checked(get), "MalformedXML");
        assert_eq!(checked(any), "MalformedXML");
        assert_eq!(checked(&format!("{any}<AllowedMethod>PATCH</AllowedMethod>")), "InvalidRequest");
        assert_eq!(checked(&format!("{get}<AllowedOrigin>*.*</AllowedOrigin>")), "InvalidRequest");
        assert_eq!(checked(&format!("{get}{any}<ExposeHeader>*</ExposeHeader>")), "InvalidRequest");
        assert_eq!(checked(&format!("{get}{any}<MaxAgeSeconds>x</MaxAgeSeconds>")), "MalformedXML");
        assert!(parse_configuration(b"<CORSConfiguration/>").is_err());
        let long = format!("<CORSConfiguration><CORSRule>{get}{}</CORSRule></CORSConfiguration>", any.repeat(3000));
        assert_eq!(parse_request(long.as_bytes()).unwrap_err().code.as_str(), "MaxMessageLengthExceeded");
        let many = format!(
            "<CORSConfiguration>{}</CORSConfiguration>",
            format!("<CORSRule>{get}{any}</CORSRule>").repeat(101)
        );
        assert!(parse_configuration(many.as_bytes()).is_err());
    }
}
