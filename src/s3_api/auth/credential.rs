//! Credential: `AccessKey/20130524/us-east-1/s3/aws4_request`, the scope that a Version 4 signature is good for.

use crate::s3_api::auth::AuthOptions;
use crate::s3_api::error::{ErrorCode, S3Error};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    pub access_key: String,
    /// `YYYYMMDD`.
    pub date: String,
    pub region: String,
    pub service: String,
}

impl Credential {
    /// From the right: an access key may hold slashes.
    pub fn parse(text: &str) -> Option<Self> {
        let mut fields = text.rsplitn(5, '/');
        let (terminator, service, region, date) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let access_key = fields.next()?;
        let well_formed = terminator == "aws4_request"
            && !access_key.is_empty()
            && date.len() == 8
            && date.bytes().all(|b| b.is_ascii_digit());
        well_formed.then(|| Self {
            access_key: access_key.to_owned(),
            date: date.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
        })
    }

    /// The scope as it is signed.
    pub fn scope(&self) -> String {
        format!("{}/{}/{}/aws4_request", self.date, self.region, self.service)
    }

    /// Whether the scope is ours. `code`: header and query have each their own.
    pub fn check(&self, date_time: &str, options: &AuthOptions, code: ErrorCode) -> Result<(), S3Error> {
        if self.service != options.service {
            let (service, ours) = (&self.service, options.service);
            let message = format!("incorrect service \"{service}\". This endpoint belongs to \"{ours}\".");
            return Err(malformed(code, &message));
        }
        if date_time.get(..8) != Some(self.date.as_str()) {
            let message = format!(
                "Invalid credential date \"{}\". This date is not the same as X-Amz-Date: \"{date_time}\".",
                self.date
            );
            return Err(malformed(code, &message));
        }
        if let Some(expected) = options.region.as_deref()
            && expected != self.region
        {
            let message = format!("the region '{}' is wrong; expecting '{expected}'", self.region);
            return Err(malformed(code, &message).field("Region", expected));
        }
        Ok(())
    }
}

pub fn malformed(code: ErrorCode, reason: &str) -> S3Error {
    let what = match code {
        ErrorCode::AuthorizationHeaderMalformed => "The authorization header is malformed",
        _ => "Error parsing the X-Amz-Credential parameter",
    };
    S3Error::with_message(code, format!("{what}; {reason}"))
}

#[cfg(test)]
mod tests {
    use super::Credential;
    use crate::s3_api::auth::AuthOptions;
    use crate::s3_api::error::ErrorCode;

    #[test]
    fn forms() {
        let credential = Credential::parse("a/b/20130524/us-east-1/s3/aws4_request").unwrap();
        assert_eq!(credential.access_key, "a/b");
        assert_eq!(credential.scope(), "20130524/us-east-1/s3/aws4_request");
        for bad in [
            "",
            "20130524/us-east-1/s3/aws4_request",
            "/20130524/us-east-1/s3/aws4_request",
            "a/2013052/us-east-1/s3/aws4_request",
            "a/20130524/us-east-1/s3/aws3_request",
        ] {
            assert_eq!(Credential::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn scope_must_be_ours() {
        let credential = |text| Credential::parse(text).unwrap();
        let code = ErrorCode::AuthorizationHeaderMalformed;
        let any = AuthOptions::default();
        let only = |region: &str| AuthOptions { region: Some(region.to_owned()), ..AuthOptions::default() };
        let ours = credential("a/20130524/eu-north-1/s3/aws4_request");
        assert!(ours.check("20130524T000000Z", &any, code).is_ok());
        assert!(ours.check("20130524T000000Z", &only("eu-north-1"), code).is_ok());
        assert!(ours.check("20130525T000000Z", &any, code).is_err());
        let error = ours.check("20130524T000000Z", &only("home"), code).unwrap_err();
        assert_eq!(error.fields, [("Region", "home".to_owned())]);
        let other = credential("a/20130524/eu-north-1/sts/aws4_request");
        assert!(other.check("20130524T000000Z", &any, code).is_err());
        assert!(ours.check("20130524T000000Z", &AuthOptions { service: "sts", ..any }, code).is_err());
    }
}
