//! The configuration file: who may sign, and the clocks of log delivery and of lifecycle rules.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_api::{Role, Timestamp};
use gateway::Key;
use record::{Attributes, SessionContext, SessionIssuer, UserIdentity};
use serde::Deserialize;

/// The account of the key that exists without a configuration.
pub const DEFAULT_ACCOUNT: &str = "000000000000";
/// The region of the server where nothing else is said.
pub const DEFAULT_REGION: &str = "us-east-1";
/// Keys in one file.
pub const KEYS_MAX: usize = 100_000;

/// What the server is told, besides its command line.
#[derive(Clone)]
pub struct Config {
    /// The keys that may sign.
    pub keys: Vec<Key>,
    /// Are they the test key that everybody knows? Then only loopback may be listened on.
    pub is_default: bool,
    /// The region of requests that name none.
    pub region: String,
    /// Host names under which the server is known, besides S3's own.
    pub domains: Vec<String>,
    /// What a client beyond loopback shows to see the pages under `/_sigtrail/`: `Authorization: Bearer …`.
    pub token: Option<String>,
    /// How often log files are delivered.
    pub delivery_interval: Duration,
    /// How often digests of them are.
    pub digest_interval: Duration,
    /// How often lifecycle rules of buckets are applied.
    pub lifecycle_interval: Duration,
    /// Do requests that failed authentication go to trails, too?
    pub record_auth_failures: bool,
}

/// A configuration that cannot be used. The text says where and why.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Text that is not TOML, or has keys that mean nothing.
    #[error("{}, line {line}: {detail}", path.display())]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Where in it, from 1.
        line: usize,
        /// What; never a value, which may be a secret.
        detail: String,
    },
    /// A value that cannot be.
    #[error("{}: {detail}", path.display())]
    Value {
        /// Which file.
        path: PathBuf,
        /// What is wrong, and what to do.
        detail: String,
    },
}

impl Default for Config {
    /// One root key, `test`/`test`, of account 000000000000.
    fn default() -> Self {
        let identity = UserIdentity {
            kind: "Root".into(),
            principal_id: Some(DEFAULT_ACCOUNT.into()),
            arn: Some(format!("arn:aws:iam::{DEFAULT_ACCOUNT}:root")),
            account_id: Some(DEFAULT_ACCOUNT.into()),
            access_key_id: Some("test".into()),
            ..UserIdentity::default()
        };
        let key = Key {
            access_key_id: "test".into(),
            secret_access_key: "test".into(),
            session_token: None,
            expires: None,
            role: Role::Admin,
            identity,
        };
        Self { keys: vec![key], is_default: true, ..Self::of_file(&File::default()) }
    }
}

impl Config {
    /// Reads a TOML file.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = read_text(path)?;
        let file: File = toml::from_str(&text).map_err(|error| syntax_error(path, &text, &error))?;
        let invalid = |detail: String| ConfigError::Value { path: path.into(), detail };
        if file.key.is_empty() || file.key.len() > KEYS_MAX {
            return Err(invalid(format!("there must be between 1 and {KEYS_MAX} [[key]] sections")));
        }
        if file.cloudtrail.digest_interval.0.subsec_nanos() != 0 {
            return Err(invalid("digest_interval must be whole seconds, as digests name their times".into()));
        }
        let mut keys: Vec<Key> = Vec::with_capacity(file.key.len());
        let mut ids = std::collections::HashSet::new();
        for row in &file.key {
            if !ids.insert(&row.access_key_id) {
                return Err(invalid(format!(
                    "the access key id {} stands in more than one [[key]]",
                    row.access_key_id
                )));
            }
            keys.push(row.key(path)?);
        }
        Ok(Self { keys, ..Self::of_file(&file) })
    }

    /// The accounts that keys belong to, each once.
    pub fn accounts(&self) -> Vec<String> {
        let mut accounts: Vec<_> = self.keys.iter().map(|key| key.account().to_owned()).collect();
        accounts.sort_unstable();
        accounts.dedup();
        accounts
    }

    fn of_file(file: &File) -> Self {
        Self {
            keys: Vec::new(),
            is_default: false,
            region: file.region.clone().unwrap_or_else(|| DEFAULT_REGION.into()),
            domains: file.domains.iter().map(|domain| domain.to_ascii_lowercase()).collect(),
            token: file.token.clone(),
            delivery_interval: file.cloudtrail.delivery_interval.0,
            digest_interval: file.cloudtrail.digest_interval.0,
            lifecycle_interval: file.s3.lifecycle_interval.0,
            record_auth_failures: file.cloudtrail.record_auth_failures,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    key: Vec<KeyRow>,
    region: Option<String>,
    domains: Vec<String>,
    token: Option<String>,
    cloudtrail: CloudTrail,
    s3: S3,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct CloudTrail {
    delivery_interval: Interval,
    digest_interval: Interval,
    record_auth_failures: bool,
}

impl Default for CloudTrail {
    /// `CloudTrail`'s own clocks ("Finding your CloudTrail log files", "CloudTrail digest file structure").
    fn default() -> Self {
        Self {
            delivery_interval: Interval(Duration::from_mins(5)),
            digest_interval: Interval(Duration::from_hours(1)),
            record_auth_failures: false,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct S3 {
    lifecycle_interval: Interval,
}

impl Default for S3 {
    /// S3 applies rules once a day, and the days of a rule end at a midnight: within an hour of it is soon enough.
    fn default() -> Self {
        Self { lifecycle_interval: Interval(Duration::from_hours(1)) }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyRow {
    access_key_id: String,
    secret_access_key: Option<String>,
    secret_file: Option<PathBuf>,
    session_token: Option<String>,
    expires: Option<toml::Value>,
    account: String,
    role: Role,
    identity: Option<IdentityRow>,
}

impl std::fmt::Debug for KeyRow {
    /// Without what must stay secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRow").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct IdentityRow {
    #[serde(rename = "type")]
    kind: IdentityType,
    arn: String,
    principal_id: String,
    user_name: Option<String>,
    session_issuer: Option<IssuerRow>,
    ec2_role_delivery: Option<String>,
    session_creation_date: Option<String>,
    #[serde(default)]
    mfa_authenticated: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum IdentityType {
    Root,
    #[serde(rename = "IAMUser")]
    IamUser,
    AssumedRole,
    FederatedUser,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct IssuerRow {
    #[serde(rename = "type")]
    kind: Option<String>,
    arn: String,
    principal_id: String,
    user_name: String,
}

/// A length of time: `5m`, `90s`, `1h`, or a number of seconds.
#[derive(Debug, Clone, Copy)]
struct Interval(Duration);

impl<'de> Deserialize<'de> for Interval {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_interval(&text).map(Self).ok_or_else(|| {
            serde::de::Error::custom(format!("{text:?} is not a length of time such as \"5m\", \"30s\" or \"1h\""))
        })
    }
}

fn parse_interval(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.trim().parse().ok()?;
    let unit = match &text[digits.len()..] {
        "ms" => return Some(Duration::from_millis(number)).filter(|interval| !interval.is_zero()),
        "s" | "" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return None,
    };
    Some(Duration::from_secs(number.checked_mul(unit)?)).filter(|interval| !interval.is_zero())
}

impl KeyRow {
    fn key(&self, path: &Path) -> Result<Key, ConfigError> {
        let invalid = |detail: String| ConfigError::Value {
            path: path.into(),
            detail: format!("the key {}: {detail}", self.access_key_id),
        };
        if self.access_key_id.is_empty() || self.access_key_id.len() > signature::ACCESS_KEY_ID_LEN_MAX {
            return Err(invalid("access_key_id must have 1 to 128 characters".into()));
        }
        if self.account.len() != 12 || !self.account.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(invalid(format!("account {:?} is not twelve digits", self.account)));
        }
        Ok(Key {
            access_key_id: self.access_key_id.clone(),
            secret_access_key: self.secret(path)?,
            session_token: self.session_token.clone(),
            expires: self.expires(path)?,
            role: self.role,
            identity: self.identity(),
        })
    }

    fn secret(&self, path: &Path) -> Result<String, ConfigError> {
        let invalid = |detail: &str| ConfigError::Value {
            path: path.into(),
            detail: format!("the key {}: {detail}", self.access_key_id),
        };
        let secret = match (&self.secret_access_key, &self.secret_file) {
            (Some(secret), None) => secret.clone(),
            (None, Some(file)) => {
                // Beside the configuration, if it is not absolute.
                let file = path.parent().unwrap_or(Path::new("")).join(file);
                read_text(&file)?.trim_end_matches(['\r', '\n']).to_owned()
            }
            _ => return Err(invalid("give either secret_access_key or secret_file")),
        };
        if secret.is_empty() { Err(invalid("the secret is empty")) } else { Ok(secret) }
    }

    fn expires(&self, path: &Path) -> Result<Option<Timestamp>, ConfigError> {
        let Some(value) = &self.expires else { return Ok(None) };
        let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        Timestamp::parse_rfc3339(&text).map(Some).ok_or_else(|| ConfigError::Value {
            path: path.into(),
            detail: format!("the key {}: expires {text:?} is not a time like 2026-12-31T00:00:00Z", self.access_key_id),
        })
    }

    /// Without an identity of its own a key is its account's root.
    fn identity(&self) -> UserIdentity {
        let account = Some(self.account.clone());
        let access_key_id = Some(self.access_key_id.clone());
        let Some(row) = &self.identity else {
            return UserIdentity {
                kind: "Root".into(),
                principal_id: account.clone(),
                arn: Some(format!("arn:aws:iam::{}:root", self.account)),
                account_id: account,
                access_key_id,
                ..UserIdentity::default()
            };
        };
        let (kind, user_name) = match row.kind {
            IdentityType::Root => ("Root", None),
            IdentityType::IamUser => ("IAMUser", row.arn.rsplit('/').next().map(ToOwned::to_owned)),
            IdentityType::AssumedRole => ("AssumedRole", None),
            IdentityType::FederatedUser => ("FederatedUser", None),
        };
        UserIdentity {
            kind: kind.into(),
            principal_id: Some(row.principal_id.clone()),
            arn: Some(row.arn.clone()),
            account_id: account,
            access_key_id,
            user_name: row.user_name.clone().or(user_name),
            session_context: row.session_context(&self.account),
            ..UserIdentity::default()
        }
    }
}

impl IdentityRow {
    fn session_context(&self, account: &str) -> Option<SessionContext> {
        let has_session = self.session_issuer.is_some() || self.ec2_role_delivery.is_some();
        let attributes = (has_session || self.session_creation_date.is_some()).then(|| Attributes {
            creation_date: self.session_creation_date.clone(),
            mfa_authenticated: self.mfa_authenticated.to_string(),
            ..Attributes::default()
        });
        let session_issuer = self.session_issuer.as_ref().map(|issuer| SessionIssuer {
            kind: issuer.kind.clone().unwrap_or_else(|| "Role".into()),
            principal_id: issuer.principal_id.clone(),
            arn: issuer.arn.clone(),
            account_id: account.into(),
            user_name: issuer.user_name.clone(),
            ..SessionIssuer::default()
        });
        let ec2_role_delivery = self.ec2_role_delivery.clone();
        let context = SessionContext { session_issuer, attributes, ec2_role_delivery, ..SessionContext::default() };
        context.attributes.is_some().then_some(context)
    }
}

/// The parser's own text quotes the line that it stopped at, and some of its messages the value: both may be a secret.
fn syntax_error(path: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let start = error.span().map_or(0, |span| span.start);
    let line = text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1;
    let message = error.message();
    let names_only = ["unknown field", "missing field", "duplicate key", "unknown variant"];
    let detail = if names_only.iter().any(|start| message.starts_with(start)) {
        message.to_owned()
    } else {
        "this is not what is expected here; see the README for a configuration".to_owned()
    };
    ConfigError::Syntax { path: path.into(), line, detail }
}

fn read_text(path: &Path) -> Result<String, ConfigError> {
    fs::read_to_string(path).map_err(|source| ConfigError::Unreadable { path: path.into(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sigtrail.toml");
        fs::write(&path, text).unwrap();
        fs::write(dir.path().join("secret"), "from a file\n").unwrap();
        Config::read(&path).map_err(|error| error.to_string())
    }

    const ROLE: &str = r#"
        [[key]]
        access_key_id = "ASIAEXAMPLE"
        secret_file = "secret"
        session_token = "token"
        expires = "2026-12-31T00:00:00Z"
        account = "111122223333"
        role = "s3"
        identity = { type = "AssumedRole", arn = "arn:aws:sts::111122223333:assumed-role/etl/i-0abc", principal_id = "AROAEXAMPLE:i-0abc", session_issuer = { arn = "arn:aws:iam::111122223333:role/etl", principal_id = "AROAEXAMPLE", user_name = "etl" }, ec2_role_delivery = "2.0" }
        [cloudtrail]
        delivery_interval = "2s"
        [s3]
        lifecycle_interval = "1s"
    "#;

    #[test]
    fn a_role_on_an_instance() {
        let config = read(ROLE).unwrap();
        let key = &config.keys[0];
        assert_eq!((key.secret_access_key.as_str(), key.role), ("from a file", Role::S3));
        assert_eq!(key.expires, Timestamp::parse_rfc3339("2026-12-31T00:00:00Z"));
        assert_eq!(config.delivery_interval, Duration::from_secs(2));
        assert_eq!(config.lifecycle_interval, Duration::from_secs(1));
        assert_eq!(Config::default().lifecycle_interval, Duration::from_hours(1));
        assert_eq!(
            serde_json::to_value(&key.identity).unwrap(),
            serde_json::json!({
                "type": "AssumedRole", "principalId": "AROAEXAMPLE:i-0abc",
                "arn": "arn:aws:sts::111122223333:assumed-role/etl/i-0abc",
                "accountId": "111122223333", "accessKeyId": "ASIAEXAMPLE",
                "sessionContext": {
                    "sessionIssuer": {"type": "Role", "principalId": "AROAEXAMPLE", "arn": "arn:aws:iam::111122223333:role/etl",
                                      "accountId": "111122223333", "userName": "etl"},
                    "attributes": {"mfaAuthenticated": "false"}, "ec2RoleDelivery": "2.0"}
            })
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        let key = "[[key]]\naccess_key_id = \"A\"\naccount = \"111122223333\"\nrole = \"s3\"\n";
        let cases = [
            (String::new(), "[[key]]"),
            (key.to_owned(), "either secret_access_key or secret_file"),
            (format!("{key}secret_access_key = \"s\"\nexpires = \"soon\""), "expires"),
            (format!("{key}secret_access_key = \"s\"\n{key}secret_access_key = \"s\""), "more than one"),
            (format!("{key}secret_access_key = \"s\"\ncolour = 1"), "unknown field `colour`"),
            (key.replace("111122223333", "1") + "secret_access_key = \"s\"", "twelve digits"),
            (key.replace("s3", "root") + "secret_access_key = \"s\"", "line 4: unknown variant"),
            (format!("{key}secret_access_key = \"s\"\n[cloudtrail]\ndelivery_interval = \"0s\""), "line 7"),
            (format!("{key}secret_access_key = \"s\"\n[cloudtrail]\ndigest_interval = \"1500ms\""), "whole seconds"),
        ];
        for (text, expected) in cases {
            let Err(error) = read(&text) else { panic!("{text} was read") };
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn no_secret_is_in_an_error() {
        let key = "[[key]]\naccess_key_id = \"A\"\naccount = \"111122223333\"\nrole = \"s3\"\n";
        for line in [
            "secret_access_key = \"SUPERSECRET\" x",
            "secret_acces_key = \"SUPERSECRET\"",
            "secret_access_key = [\"SUPERSECRET\"]",
            "secret_access_key = \"SUPERSECRET",
            "secret_access_key = 1234567890",
        ] {
            let Err(error) = read(&format!("{key}{line}\n")) else { panic!("{line} was read") };
            assert!(error.contains("line 5"), "{error}");
            assert!(!error.contains("SUPERSECRET") && !error.contains("1234567890"), "{error}");
        }
    }
}
