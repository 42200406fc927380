//! Browser uploads: a POST form whose proof stands in its fields becomes a PUT.
//!
//! Source: S3 API reference, "Browser-based uploads using HTTP POST" and "POST Object".

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::Stream;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use http_body::{Frame, SizeHint};
use http_body_util::{BodyDataStream, BodyExt};
use multer::{Field, Multipart};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use quick_xml::Writer;
use quick_xml::events::BytesText;
use record::Signed;
use signature::{Attempt, Carrier, Denied, FORM_FIELDS_MAX, FORM_LEN_MAX, PostForm, Reason, VerifiedPost};

use crate::audit::{Audit, Exchange};
use crate::authenticate::Caller;
use crate::backend::{Backend, Body, BodyError, BoxError};
use crate::forward::{self, KEY_ESCAPES};
use crate::keys::Key;
use crate::payload::{Broken, Check, Inbound, header as header_line};
use crate::reply::{Answer, failed, full};
use crate::xml::ErrorDocument;

/// Fields that become headers of the same name.
const HEADER_FIELDS: &[&str] =
    &["cache-control", "content-type", "content-disposition", "content-encoding", "content-language", "expires"];
/// What the framing of a form may take besides names and values, in bytes.
const FRAMING_LEN_MAX: usize = 64 * 1024;
/// Fields with an `x-amz-` name that prove who asks and say nothing else.
const CREDENTIAL_FIELDS: &[&str] =
    &["x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-security-token", "x-amz-signature"];

/// A form up to its file.
struct Form {
    fields: Vec<(String, String)>,
    file_name: String,
    file: Field<'static>,
}

/// Answers a browser's upload.
pub(crate) async fn post_object<B: Backend>(
    audit: &Audit<B>,
    mut exchange: Exchange,
    parts: &Parts,
    body: Body,
) -> Response<Body> {
    let form = match read_form(parts, body).await {
        Ok(form) => form,
        Err(denied) => return audit.refuse(exchange, &denied).await,
    };
    exchange.target.key = form.key();
    let (caller, verified) = match prove(audit, &exchange, &form) {
        Ok(proven) => proven,
        Err(refused) => {
            return match refused.caller {
                None => audit.refuse(exchange, &refused.denied).await,
                // The signature was right, so it is known who was not allowed to do this.
                Some(caller) => audit.conclude(exchange, caller, 0, of_denied(&refused.denied)).await,
            };
        }
    };
    if let Some((status, document)) = audit.forbidden(&exchange, &caller).or_else(|| form.unsupported()) {
        return audit.conclude(exchange, caller, 0, failed(status, document)).await;
    }
    let reply = Reply::of(&form, &exchange);
    let headers = form.headers();
    let file = FileBody { file: form.file, limits: verified, so_far: 0 };
    let inbound = Inbound::new(file.boxed_unsync(), Check::None);
    let request = forward::request(&exchange, put_parts(headers), &inbound, &[]);
    match audit.perform(&exchange, &caller, request, &inbound).await {
        Ok(answer) => {
            let answer = if answer.failure.is_none() { reply.give(answer) } else { answer };
            audit.conclude(exchange, caller, inbound.bytes_in(), answer).await
        }
        Err(denied) => audit.conclude(exchange, caller, inbound.bytes_in(), of_denied(&denied)).await,
    }
}

struct Refused {
    denied: Denied,
    /// Set if the signature was proven all the same.
    caller: Option<Caller>,
}

fn prove<B: Backend>(
    audit: &Audit<B>,
    exchange: &Exchange,
    form: &Form,
) -> Result<(Caller, Option<VerifiedPost>), Box<Refused>> {
    let refused = |denied| Box::new(Refused { denied, caller: None });
    let fields: Vec<_> = form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let bucket = exchange.target.bucket.as_deref().unwrap_or_default();
    let claim = PostForm { fields: &fields, bucket, file_name: &form.file_name }.classify().map_err(refused)?;
    let Some(claim) = claim else { return Ok((Caller::anonymous(), None)) };
    let key = audit.around.keys.get(claim.access_key_id());
    let signed = Signed { version: claim.scheme().as_str(), method: Carrier::HtmlForm.as_str() };
    let verified = claim.verify(key.map(Key::secret), exchange.now, &signature::Policy::s3());
    match (verified, key) {
        (Ok(verified), Some(key)) => {
            let caller = Caller::of(key, signed, verified.region.clone());
            audit.check_region(exchange, &caller).map_err(refused)?;
            Ok((caller, Some(verified)))
        }
        (Err(denied), Some(key)) if denied.reason == Reason::Policy => {
            Err(Box::new(Refused { denied, caller: Some(Caller::of(key, signed, None)) }))
        }
        (Err(denied), _) => Err(refused(denied)),
        (Ok(_), None) => Err(refused(malformed("InvalidAccessKeyId", "The key of this form is not known."))),
    }
}

async fn read_form(parts: &Parts, body: Body) -> Result<Form, Denied> {
    let content_type =
        parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let boundary = multer::parse_boundary(content_type).map_err(|_| not_a_form())?;
    let in_file = Arc::new(AtomicBool::new(false));
    let bounded = BoundedForm { body: BodyDataStream::new(body), len: 0, in_file: Arc::clone(&in_file) };
    let mut multipart = Multipart::new(bounded, boundary);
    let mut fields = Vec::new();
    let mut len = 0;
    while let Some(mut field) = multipart.next_field().await.map_err(|_| not_a_form())? {
        let name = field.name().ok_or_else(not_a_form)?.to_owned();
        if name.eq_ignore_ascii_case("file") {
            let file_name = field.file_name().unwrap_or_default();
            let file_name = file_name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
            in_file.store(true, Ordering::Relaxed);
            return Ok(Form { fields, file_name, file: field });
        }
        let mut value = Vec::new();
        while let Some(chunk) = field.chunk().await.map_err(|_| not_a_form())? {
            len += chunk.len();
            if len + name.len() > FORM_LEN_MAX {
                return Err(too_large());
            }
            value.extend_from_slice(&chunk);
        }
        len += name.len();
        fields.push((name, String::from_utf8(value).map_err(|_| not_a_form())?));
        if fields.len() > FORM_FIELDS_MAX {
            return Err(too_large());
        }
    }
    Err(malformed("InvalidArgument", "POST requires exactly one file upload per request."))
}

/// The raw bytes of a form, of which only so many may come before its file begins.
struct BoundedForm {
    body: BodyDataStream<Body>,
    len: usize,
    in_file: Arc<AtomicBool>,
}

impl Stream for BoundedForm {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let next = ready!(Pin::new(&mut this.body).poll_next(cx));
        if let Some(Ok(bytes)) = &next
            && !this.in_file.load(Ordering::Relaxed)
        {
            // The chunk in which the file begins may hold some of it.
            let before = this.len;
            this.len += bytes.len();
            if before > FORM_LEN_MAX + FRAMING_LEN_MAX {
                return Poll::Ready(Some(Err(too_large().into())));
            }
        }
        Poll::Ready(next.map(|bytes| bytes.map_err(Into::into)))
    }
}

impl Form {
    fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    fn key(&self) -> Option<String> {
        let key = self.field("key")?.replace("${filename}", &self.file_name);
        Some(key).filter(|key| !key.is_empty())
    }

    fn unsupported(&self) -> Option<(StatusCode, ErrorDocument)> {
        if self.field("tagging").is_some() {
            let message = "The form field tagging is not supported; set tags with PutObjectTagging.";
            return Some((StatusCode::NOT_IMPLEMENTED, ErrorDocument::new("NotImplemented", message)));
        }
        if self.key().is_none() {
            let message = "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.";
            return Some((StatusCode::BAD_REQUEST, ErrorDocument::new("InvalidArgument", message)));
        }
        None
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.fields {
            let name = name.to_ascii_lowercase();
            let is_amz = name.starts_with("x-amz-") && !CREDENTIAL_FIELDS.contains(&name.as_str());
            let line = if name == "acl" {
                header_line("x-amz-acl", value)
            } else if is_amz || HEADER_FIELDS.contains(&name.as_str()) {
                header_line(&name, value)
            } else {
                None
            };
            headers.extend(line);
        }
        headers
    }
}

/// The head of the PUT that the form amounts to; `forward` gives it its path.
fn put_parts(headers: HeaderMap) -> Parts {
    let mut request = http::Request::new(());
    *request.method_mut() = Method::PUT;
    *request.headers_mut() = headers;
    request.into_parts().0
}

/// The answer that the form asks for.
struct Reply {
    status: StatusCode,
    redirect: Option<String>,
    bucket: String,
    key: String,
    location: String,
}

impl Reply {
    fn of(form: &Form, exchange: &Exchange) -> Self {
        let bucket = exchange.target.bucket.clone().unwrap_or_default();
        let key = exchange.target.key.clone().unwrap_or_default();
        let scheme = if exchange.peer.tls.is_some() { "https" } else { "http" };
        let path = utf8_percent_encode(&key, KEY_ESCAPES);
        let location = if exchange.target.virtual_host {
            format!("{scheme}://{}/{path}", exchange.target.host)
        } else {
            format!("{scheme}://{}/{bucket}/{path}", exchange.target.host)
        };
        let status = match form.field("success_action_status") {
            Some("200") => StatusCode::OK,
            Some("201") => StatusCode::CREATED,
            _ => StatusCode::NO_CONTENT,
        };
        let redirect = form.field("success_action_redirect").or_else(|| form.field("redirect"));
        Self { status, redirect: redirect.map(ToOwned::to_owned), bucket, key, location }
    }

    fn give(self, mut answer: Answer) -> Answer {
        let etag = answer.response.headers().get(header::ETAG).cloned();
        let etag_text = etag.as_ref().and_then(|etag| etag.to_str().ok()).unwrap_or_default();
        let (status, body, location) = match &self.redirect {
            Some(redirect) => (StatusCode::SEE_OTHER, Bytes::new(), self.redirected(redirect, etag_text)),
            None if self.status == StatusCode::CREATED => {
                (self.status, self.document(etag_text), self.location.clone())
            }
            None => (self.status, Bytes::new(), self.location.clone()),
        };
        let response = &mut answer.response;
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_LENGTH);
        if let Ok(location) = HeaderValue::from_str(&location) {
            headers.insert(header::LOCATION, location);
        }
        if !body.is_empty() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        }
        *response.body_mut() = full(body);
        answer
    }

    fn redirected(&self, redirect: &str, etag: &str) -> String {
        let escape = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let separator = if redirect.contains('?') { '&' } else { '?' };
        let (bucket, key, etag) = (escape(&self.bucket), escape(&self.key), escape(etag));
        format!("{redirect}{separator}bucket={bucket}&key={key}&etag={etag}")
    }

    fn document(&self, etag: &str) -> Bytes {
        let elements =
            [("Location", self.location.as_str()), ("Bucket", &self.bucket), ("Key", &self.key), ("ETag", etag)];
        let mut writer = Writer::new(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>".to_vec());
        // Writing into memory does not fail.
        let _ = writer.create_element("PostResponse").write_inner_content(|writer| {
            for (name, value) in elements {
                writer.create_element(name).write_text_content(BytesText::new(value))?;
            }
            Ok(())
        });
        writer.into_inner().into()
    }
}

/// The file's bytes, held to the lengths that the policy allows.
struct FileBody {
    file: Field<'static>,
    limits: Option<VerifiedPost>,
    so_far: u64,
}

impl http_body::Body for FileBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        let allowed = |verdict: Option<Result<(), Denied>>| match verdict {
            Some(Err(denied)) => Err(BodyError(Broken::Denied(denied).into())),
            _ => Ok(()),
        };
        let limits = this.limits.as_ref();
        Poll::Ready(match ready!(Pin::new(&mut this.file).poll_next(cx)) {
            Some(Ok(bytes)) => {
                this.so_far += bytes.len() as u64;
                let verdict = allowed(limits.map(|limits| limits.check_content_length_max(this.so_far)));
                Some(verdict.map(|()| Frame::data(bytes)))
            }
            Some(Err(error)) => Some(Err(BodyError(error.into()))),
            None => allowed(limits.map(|limits| limits.check_content_length(this.so_far))).err().map(Err),
        })
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

fn of_denied(denied: &Denied) -> Answer {
    let status = StatusCode::from_u16(denied.status).unwrap_or(StatusCode::FORBIDDEN);
    failed(status, denied.into())
}

fn not_a_form() -> Denied {
    malformed("MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data.")
}

fn too_large() -> Denied {
    let message = "Your POST request fields preceding the upload file were too large.";
    Denied { reason: Reason::TooLarge, ..malformed("MaxPostPreDataLengthExceededError", message) }
}

fn malformed(code: &'static str, message: &str) -> Denied {
    let (reason, attempt) = (Reason::Malformed, Attempt::default());
    Denied { reason, code, message: message.into(), status: 400, elements: Vec::new(), attempt }
}
