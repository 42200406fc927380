//! Which mechanism a request uses, and whether it is well-formed.

use crate::claim::{Attempt, Carrier, Claim, Expires, Presigned, Proof, Scheme, Scope, SignedClaim, V4Proof};
use crate::date;
use crate::denied::{Denied, Reason};
use crate::head::{ACCESS_KEY_ID_LEN_MAX, QueryPair, RequestHead};
use aws_api::Timestamp;

const V4_ALGORITHM: &str = "AWS4-HMAC-SHA256";
const V4A_ALGORITHM: &str = "AWS4-ECDSA-P256-SHA256";
/// Longest life of a presigned `SigV4` URL: a week.
const V4_EXPIRES_SECS_MAX: i64 = 604_800;
/// Longest part of a credential scope (day, region, service).
const SCOPE_PART_LEN_MAX: usize = 64;
/// Most names in `SignedHeaders`.
const SIGNED_HEADERS_MAX: usize = crate::head::HEADERS_MAX;

const V4_PARAMETERS: [&str; 6] =
    ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Expires"];
const V4_QUERY_MISSING: &str = "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.";
const V2_QUERY_MISSING: &str =
    "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters";
const V4_HEADER_PARTS: &str =
    "the authorization header requires three components: Credential, SignedHeaders, and Signature.";
const CREDENTIAL_FORM: &str = "expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".";

/// Says which mechanism a request uses and reads its parts; proves nothing.
///
/// The order of the checks, and their texts, are those of S3. Errors, first to last: a head beyond a bound; more than one
/// mechanism; an unknown or unsupported mechanism; its syntax. The [`Denied`] names the mechanism and the claimed key where they
/// could be read.
pub fn classify(head: RequestHead<'_>) -> Result<Claim<'_>, Denied> {
    let query = head.checked_query()?;
    let has = |name: &str| query.iter().any(|pair| *pair.name == *name.as_bytes());
    let v4_query = V4_PARAMETERS.into_iter().any(has);
    let v2_query = has("AWSAccessKeyId") || (has("Signature") && has("Expires"));
    let header = head.has("authorization");
    let attempt = attempt(&head, &query, header, v4_query, v2_query);
    if u8::from(header) + u8::from(v4_query) + u8::from(v2_query) > 1 || head.values("authorization").count() > 1 {
        let authorization = String::from_utf8_lossy(&head.joined("authorization")).into_owned();
        return Err(Denied::several_mechanisms(&authorization).by(&attempt));
    }
    let proof = if header {
        header_proof(&head)
    } else if v4_query {
        v4_query_proof(&query)
    } else if v2_query {
        v2_query_proof(&query)
    } else {
        return Ok(Claim::Anonymous);
    };
    let (scheme, access_key_id, proof) = proof.map_err(|denied| denied.by(&attempt))?;
    let carrier = if header { Carrier::AuthHeader } else { Carrier::QueryString };
    Ok(Claim::Signed(SignedClaim { head, query, scheme, carrier, access_key_id, proof }))
}

type Parsed = Result<(Scheme, String, Proof), Denied>;

/// What can be read of the first mechanism, however malformed the rest is.
fn attempt(head: &RequestHead<'_>, query: &[QueryPair<'_>], header: bool, v4_query: bool, v2_query: bool) -> Attempt {
    let value = |name: &str| {
        let pair = query.iter().find(|pair| *pair.name == *name.as_bytes())?;
        String::from_utf8(pair.value().into_owned()).ok()
    };
    if header {
        let text = head.text("authorization").unwrap_or_default();
        let credential = || text.split_once("Credential=").and_then(|(_, rest)| rest.split(['/', ',', ' ']).next());
        return match text.split_once(' ').map_or(&*text, |(scheme, _)| scheme) {
            "AWS" => {
                let id = text[3..].trim().split(':').next();
                Attempt::new(Scheme::SigV2, Carrier::AuthHeader, id)
            }
            V4_ALGORITHM => Attempt::new(Scheme::SigV4, Carrier::AuthHeader, credential()),
            V4A_ALGORITHM => Attempt::new(Scheme::SigV4A, Carrier::AuthHeader, credential()),
            _ => Attempt::default(),
        };
    }
    if v4_query {
        let v4a = value("X-Amz-Algorithm").as_deref() == Some(V4A_ALGORITHM);
        let scheme = if v4a { Scheme::SigV4A } else { Scheme::SigV4 };
        let credential = value("X-Amz-Credential");
        let id = credential.as_deref().and_then(|text| text.split('/').next());
        return Attempt::new(scheme, Carrier::QueryString, id);
    }
    if v2_query {
        return Attempt::new(Scheme::SigV2, Carrier::QueryString, value("AWSAccessKeyId").as_deref());
    }
    Attempt::default()
}

fn header_proof(head: &RequestHead<'_>) -> Parsed {
    let text = head
        .text("authorization")
        .ok_or_else(|| Denied::invalid_argument("Unsupported Authorization Type", "Authorization", ""))?;
    match text.split_once(' ') {
        Some(("AWS", rest)) => v2_header_proof(&text, rest),
        Some((V4_ALGORITHM, rest)) => v4_header_proof(rest),
        Some((V4A_ALGORITHM, _)) => Err(Denied::unsupported_mechanism()),
        _ => Err(Denied::invalid_argument("Unsupported Authorization Type", "Authorization", &text)),
    }
}

/// `AWS <AccessKeyId>:<base64>`.
fn v2_header_proof(text: &str, rest: &str) -> Parsed {
    if rest.contains(' ') {
        let message = "Authorization header is invalid -- one and only one ' ' (space) required";
        return Err(Denied::invalid_argument(message, "Authorization", text));
    }
    let parts = rest.split_once(':').filter(|(id, signature)| is_key_id(id) && !signature.is_empty());
    let Some((id, signature)) = parts else {
        let message = "AWS authorization header is invalid.  Expected AwsAccessKeyId:signature";
        return Err(Denied::invalid_argument(message, "Authorization", text));
    };
    Ok((Scheme::SigV2, id.to_owned(), Proof::V2Header { signature: signature.to_owned() }))
}

/// `Credential=…, SignedHeaders=…, Signature=…`; the blanks after the commas may be missing.
fn v4_header_proof(rest: &str) -> Parsed {
    let (mut credential, mut signed_headers, mut signature) = (None, None, None);
    for part in rest.split(',') {
        let Some((name, value)) = part.trim_start_matches(' ').split_once('=') else {
            return Err(Denied::header_malformed(V4_HEADER_PARTS));
        };
        let slot = match name {
            "Credential" => &mut credential,
            "SignedHeaders" => &mut signed_headers,
            "Signature" => &mut signature,
            _ => return Err(Denied::header_malformed(V4_HEADER_PARTS)),
        };
        if slot.replace(value).is_some() {
            return Err(Denied::header_malformed(V4_HEADER_PARTS));
        }
    }
    let (Some(credential), Some(signed_headers), Some(signature)) = (credential, signed_headers, signature) else {
        return Err(Denied::header_malformed(V4_HEADER_PARTS));
    };
    let malformed = || Denied::header_malformed(&format!("the Credential is mal-formed; {CREDENTIAL_FORM}"));
    let (id, scope) = parse_credential(credential).ok_or_else(malformed)?;
    let signed_headers = parse_signed_headers(signed_headers)
        .ok_or_else(|| Denied::header_malformed("the SignedHeaders component is malformed."))?;
    let proof = V4Proof { scope, signed_headers, signature: signature.to_owned(), presigned: None };
    Ok((Scheme::SigV4, id, Proof::V4(proof)))
}

fn v4_query_proof(query: &[QueryPair<'_>]) -> Parsed {
    let missing = || Denied::query_parameters(V4_QUERY_MISSING);
    let get = |name: &str| single(query, name).ok_or_else(missing);
    let algorithm = get("X-Amz-Algorithm")?;
    if algorithm == V4A_ALGORITHM {
        return Err(Denied::unsupported_mechanism());
    }
    let [credential, signature, date, names, expires] = [
        get("X-Amz-Credential")?,
        get("X-Amz-Signature")?,
        get("X-Amz-Date")?,
        get("X-Amz-SignedHeaders")?,
        get("X-Amz-Expires")?,
    ];
    if algorithm != V4_ALGORITHM {
        let message = "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256\"";
        return Err(Denied::query_parameters(message));
    }
    let (id, scope) = parse_credential(&credential).ok_or_else(|| {
        let message = "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; ";
        Denied::query_parameters(format!("{message}{CREDENTIAL_FORM}"))
    })?;
    let signed_headers = parse_signed_headers(&names)
        .ok_or_else(|| Denied::query_parameters("The X-Amz-SignedHeaders parameter is malformed."))?;
    let at = date::parse_iso_basic(&date).ok_or_else(|| {
        Denied::query_parameters("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
    })?;
    if !date.starts_with(&scope.date) {
        let message = format!(
            "Invalid credential date \"{}\". This date is not the same as X-Amz-Date: \"{}\".",
            scope.date,
            &date[..8]
        );
        return Err(Denied::query_parameters(message));
    }
    let presigned = Some(Presigned { at, expires_secs: parse_v4_expires(&expires)? });
    Ok((Scheme::SigV4, id, Proof::V4(V4Proof { scope, signed_headers, signature, presigned })))
}

fn parse_v4_expires(text: &str) -> Result<u32, Denied> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Denied::query_parameters("X-Amz-Expires should be a number"));
    }
    if digits != text {
        return Err(Denied::query_parameters("X-Amz-Expires must be non-negative"));
    }
    match text.parse::<u32>() {
        Ok(secs) if i64::from(secs) <= V4_EXPIRES_SECS_MAX => Ok(secs),
        _ => Err(Denied::query_parameters(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
        )),
    }
}

fn v2_query_proof(query: &[QueryPair<'_>]) -> Parsed {
    let missing = || Denied::access_denied(Reason::Malformed, V2_QUERY_MISSING);
    let [id, signature, text] = [single(query, "AWSAccessKeyId"), single(query, "Signature"), single(query, "Expires")];
    let (Some(id), Some(signature), Some(text)) = (id, signature, text) else { return Err(missing()) };
    if !is_key_id(&id) {
        return Err(Denied::unknown_key(""));
    }
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        let message = format!("Invalid date (should be seconds since epoch): {text}");
        return Err(Denied::access_denied(Reason::NoDate, message));
    }
    // There is no longest life: what does not fit is for ever.
    let at = text.parse().map_or(Timestamp::MAX, Timestamp::from_secs);
    Ok((Scheme::SigV2, id, Proof::V2Query { signature, expires: Expires { text, at } }))
}

/// The decoded value of a parameter that stands in the query exactly once.
fn single(query: &[QueryPair<'_>], name: &str) -> Option<String> {
    let mut found = query.iter().filter(|pair| *pair.name == *name.as_bytes());
    let pair = found.next()?;
    if found.next().is_some() {
        return None;
    }
    String::from_utf8(pair.value().into_owned()).ok()
}

pub(crate) fn is_key_id(id: &str) -> bool {
    (1..=ACCESS_KEY_ID_LEN_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

/// `<id>/<yyyymmdd>/<region>/<service>/aws4_request`; an id may contain slashes.
pub(crate) fn parse_credential(text: &str) -> Option<(String, Scope)> {
    let mut parts = text.rsplitn(5, '/');
    let terminal = parts.next()?;
    let [service, region, date] = [parts.next()?, parts.next()?, parts.next()?];
    let id = parts.next()?;
    // A region becomes a part of log files' keys, where `..` would be a way out.
    let part = |text: &str| {
        (1..=SCOPE_PART_LEN_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
            && text.bytes().any(|byte| byte.is_ascii_alphanumeric())
    };
    let day = date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit());
    let sound = terminal == "aws4_request" && day && part(region) && part(service) && is_key_id(id);
    let scope = Scope { date: date.into(), region: region.into(), service: service.into() };
    sound.then(|| (id.to_owned(), scope))
}

fn parse_signed_headers(text: &str) -> Option<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for name in text.split(';') {
        let lower = name.bytes().all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase());
        if name.is_empty() || !lower || names.len() == SIGNED_HEADERS_MAX || names.iter().any(|known| known == name) {
            return None;
        }
        names.push(name.to_owned());
    }
    Some(names)
}
