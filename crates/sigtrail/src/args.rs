//! What can be said on the command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use aws_api::Timestamp;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use http::Uri;
use report::Field;

/// Where `serve` listens, and `callers` asks, if nothing else is said.
pub const DEFAULT_ADDRESS: &str = "127.0.0.1:4566";

#[derive(Debug, Parser)]
#[command(name = "sigtrail", version, about, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server: S3 with an audit trail, and the way from there to a message in a queue
    Serve(ServeArguments),
    /// Tell who signs with SigV2 and must migrate
    Callers(CallersArguments),
    /// Search archives: who signs with SigV2, or does what a pattern says, in CloudTrail files and S3 access logs
    Scan(ScanArguments),
    /// List the named checks of `scan`: what is being switched off, when, and what is only good practice
    Checks,
    /// Search events, one JSON object a line, with an event pattern, as grep does
    Match(MatchArguments),
    /// Write the query that asks of CloudTrail's log files, in another engine, who matches an event pattern
    Sql(SqlArguments),
    /// Check the digest chain of delivered log files, and every log file that it names
    Verify(VerifyArguments),
    /// Print the CloudFormation template that does on AWS what `serve` sets up here
    Template(TemplateArguments),
}

#[derive(Debug, Args)]
#[command(after_help = TEMPLATE_HELP)]
pub struct TemplateArguments {
    /// YAML as it was written, or JSON
    #[arg(long, value_enum, default_value_t = TemplateFormat::Yaml)]
    pub format: TemplateFormat,
    /// The smaller stack that each region but the home region needs beside a trail of all regions
    #[arg(long)]
    pub other_region: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TemplateFormat {
    Yaml,
    Json,
}

const TEMPLATE_HELP: &str = "\
sigtrail template > sigtrail.yaml
aws cloudformation deploy --stack-name sigtrail --template-file sigtrail.yaml --parameter-overrides AllBuckets=true";

#[derive(Debug, Args)]
#[command(after_help = SERVE_HELP)]
pub struct ServeArguments {
    /// Address and port of all services; port 0 lets the system pick one
    #[arg(long, value_name = "ADDR", default_value = DEFAULT_ADDRESS)]
    pub listen: SocketAddr,
    /// A second address for everything but S3, which then is not reached at the first
    #[arg(long, value_name = "ADDR")]
    pub admin_listen: Option<SocketAddr>,
    /// Where everything is kept
    #[arg(long, value_name = "DIR", default_value = "./sigtrail-data")]
    pub data: PathBuf,
    /// Keys and settings, TOML; without it there is one key, test/test, for loopback only
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Serve TLS with this certificate chain (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key", conflicts_with = "tls_self_signed")]
    pub tls_cert: Option<PathBuf>,
    /// The private key that belongs to it (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert", conflicts_with = "tls_self_signed")]
    pub tls_key: Option<PathBuf>,
    /// Serve TLS with a certificate made at the start
    #[arg(long)]
    pub tls_self_signed: bool,
    /// Do not make the detector: trail, rule, topic and queue
    #[arg(long)]
    pub bare: bool,
}

const SERVE_HELP: &str = "\
The first line on stdout is `ready URL`, once requests are served. SIGTERM or Ctrl-C finish what is in flight.
Log lines go to stderr; SIGTRAIL_LOG sets their level (error, warn, info, debug, trace).";

#[derive(Debug, Args)]
#[command(after_help = CALLERS_HELP)]
pub struct CallersArguments {
    /// The running server to ask
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:4566", value_parser = parse_endpoint)]
    pub endpoint: String,
    /// The data of a stopped server, to read instead
    #[arg(long, value_name = "DIR", conflicts_with_all = ["endpoint", "insecure"])]
    pub data: Option<PathBuf>,
    /// Tell callers apart by these fields alone
    #[arg(long, value_name = "FIELD,…", value_delimiter = ',', value_parser = field_parser())]
    #[arg(default_values_t = Field::ALL, hide_default_value = true)]
    pub by: Vec<Field>,
    /// Only requests that failed authentication: the access key id is what they claimed, nobody proved it
    #[arg(long)]
    pub refused: bool,
    /// How to print them
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Accept any TLS certificate, such as that of `serve --tls-self-signed`
    #[arg(long)]
    pub insecure: bool,
}

const CALLERS_HELP: &str = "If the server's config has a token, set SIGTRAIL_TOKEN to it.";

#[derive(Debug, Args)]
#[command(after_help = SCAN_HELP)]
#[allow(clippy::struct_excessive_bools, reason = "they are flags")]
pub struct ScanArguments {
    /// Files and folders, of any depth; `-` is stdin
    #[arg(value_name = "PATH|s3://BUCKET[/PREFIX]", required = true)]
    pub paths: Vec<String>,
    /// Find the records that match this event pattern
    #[arg(short = 'f', long, value_name = "FILE")]
    pub pattern: Vec<PathBuf>,
    /// Find what a named check looks for
    #[arg(long, value_name = "NAME")]
    pub check: Vec<String>,
    /// Tell callers apart by these fields alone
    #[arg(long, value_name = "FIELD,…", value_delimiter = ',', value_parser = field_parser(), default_values_t = Field::ALL, hide_default_value = true)]
    pub by: Vec<Field>,
    /// Only records from this day or time on
    #[arg(long, value_name = "TIME", value_parser = parse_day_or_time)]
    pub since: Option<Timestamp>,
    /// Only records from before this day or time
    #[arg(long, value_name = "TIME", value_parser = parse_day_or_time)]
    pub until: Option<Timestamp>,
    /// Only this account's folders of an archive
    #[arg(long, value_name = "ID")]
    pub account: Vec<String>,
    /// Only this region's folders of an archive
    #[arg(long, value_name = "REGION")]
    pub region: Vec<String>,
    /// Count an event that stands in several files once, by its id, and a call between two accounts as the caller's log has it
    #[arg(long)]
    pub dedup: bool,
    /// Remember here what was read: the next time only new files are, and the report is of all
    #[arg(long, value_name = "FILE", conflicts_with = "dedup")]
    pub state: Option<PathBuf>,
    /// Files that are read at one time; as many as there are processors
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
    /// How to print what was found
    #[arg(long, value_enum, default_value_t = ScanFormat::Table)]
    pub format: ScanFormat,
    /// Where to; stdout if not given
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Exit with 1 if anything matched
    #[arg(long)]
    pub exit_code: bool,
    /// Do not show how far it is
    #[arg(long)]
    pub no_progress: bool,
    /// The server that buckets are on; without it that of the environment, or AWS
    #[arg(long, value_name = "URL", value_parser = parse_endpoint)]
    pub endpoint: Option<String>,
    /// Accept any TLS certificate, such as that of `serve --tls-self-signed`
    #[arg(long)]
    pub insecure: bool,
}

const SCAN_HELP: &str = "\
Files are known by their content: CloudTrail's, JSON lines, events in EventBridge's envelope or in messages of SNS and SQS,
S3 server access logs; plain, gzip or zstd. Without --pattern and --check it is SigV2 that is looked for. A pattern is on the
event as EventBridge delivers it: {\"detail\":{…}}. Folders of another account, region or time are not looked into where the
layout is AWS's (AWSLogs/ACCOUNT/CloudTrail/REGION/YYYY/MM/DD). Credentials for buckets come from the environment, as
AWS_ACCESS_KEY_ID and so on, or from the machine's role.

What cannot be read is skipped, and told with the reason.

Exit status: 0; with --exit-code 1 if anything matched; 2 after any error that left no report.";

/// How the findings of a scan are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ScanFormat {
    /// For people
    Table,
    /// One object
    Json,
    /// The records that match, one a line
    Ndjson,
    /// For spreadsheets
    Csv,
    /// A page for a browser, of which all is in one file
    Html,
}

#[derive(Debug, Args)]
#[command(after_help = MATCH_HELP, group(ArgGroup::new("mode").required(true)))]
#[allow(clippy::struct_excessive_bools, reason = "they are flags")]
pub struct MatchArguments {
    /// Print the events that match this pattern
    #[arg(short = 'f', long, value_name = "FILE", group = "mode")]
    pub pattern: Option<PathBuf>,
    /// Print how many events there are, instead of them; of several files as `FILE:COUNT`
    #[arg(short, long, conflicts_with_all = ["cases", "rules"])]
    pub count: bool,
    /// The events that do not match
    #[arg(short = 'v', long, conflicts_with_all = ["cases", "rules"])]
    pub invert_match: bool,
    /// Before each event say which fields made it match, or which failed and against what, as `FILE:LINE: …`
    #[arg(long, conflicts_with_all = ["cases", "rules"])]
    pub explain: bool,
    /// Answer cases, lines {"id":…,"pattern":"…","event":"…"}
    #[arg(long, value_name = "FILE", group = "mode", conflicts_with = "files")]
    pub cases: Option<PathBuf>,
    /// For each event print the names of the rules that match, an array; rules are lines {"name":"…","pattern":{…}}
    #[arg(long, value_name = "FILE", group = "mode")]
    pub rules: Option<PathBuf>,
    /// Check the whole of each event, not only the parts that the patterns need
    #[arg(long)]
    pub validate: bool,
    /// The events, gzipped or not; none or `-` is stdin
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

const MATCH_HELP: &str = "\
Blank lines are skipped. A line that is no event is reported on stderr, and the next is read.
With --cases each line of output is {\"id\":…,\"result\":\"match\"|\"no-match\"|\"invalid-pattern\"|\"error\",\"error\":\"…\"}.
With --rules it is an array for each event, and null for one that is reported as an error.

Exit status: 0 if some event was found, 1 if none was, 2 after any error. With --cases 0, or 2 after any error.";

#[derive(Debug, Args)]
#[command(after_help = VERIFY_HELP)]
pub struct VerifyArguments {
    /// A folder as `aws s3 sync` leaves it, or a bucket or the beginning of the keys in it
    #[arg(value_name = "DIR|s3://BUCKET[/PREFIX]")]
    pub target: String,
    /// Public keys, as `aws cloudtrail list-public-keys` prints them
    #[arg(long, value_name = "FILE")]
    pub keys: Vec<PathBuf>,
    /// The server to ask for public keys, and for the bucket; without it that of the environment, or AWS
    #[arg(long, value_name = "URL", value_parser = parse_endpoint)]
    pub endpoint: Option<String>,
    /// The signature of the newest digest of a folder, from the object's metadata
    #[arg(long, value_name = "HEX")]
    pub signature: Vec<String>,
    /// Only digests that ended at this time or later
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub since: Option<Timestamp>,
    /// Only digests that ended before this time, or up to an hour later, as `aws cloudtrail validate-logs` has it
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub until: Option<Timestamp>,
    /// How to print what was found
    #[arg(long, value_enum, default_value_t = VerifyFormat::Text)]
    pub format: VerifyFormat,
    /// Accept any TLS certificate, such as that of `serve --tls-self-signed`
    #[arg(long)]
    pub insecure: bool,
}

const VERIFY_HELP: &str = "\
Credentials come from the environment, as AWS_ACCESS_KEY_ID and so on, or from the machine's role.
A folder is asked about at no server unless --endpoint or credentials are given; then --keys is needed.
Signatures are in the metadata of objects, which a copy in a folder does not have. There each digest is proven by its
signature in the next one, and the newest of a chain is not verified unless its --signature is given.

Exit status: 0 if nothing was changed or is missing; 1 if something was or is, or if there is a log file that the valid
digests of its time do not name; else 2 after any error, and if something could not be checked: a file that cannot be read,
a signature. The newest digest in a folder counts as such only if it names log files.";

#[derive(Debug, Args)]
#[command(after_help = SQL_HELP, group(ArgGroup::new("question").required(true)))]
pub struct SqlArguments {
    /// Who is to be asked
    #[arg(long, value_enum)]
    pub engine: SqlEngine,
    /// Ask for the records that match this event pattern; `-` is stdin
    #[arg(short = 'f', long, value_name = "FILE", group = "question")]
    pub pattern: Option<PathBuf>,
    /// Ask what a check asks
    #[arg(long, value_name = "NAME", group = "question")]
    pub check: Option<String>,
    /// Where the log files are; Athena wants a bucket, Logs Insights none
    #[arg(long, value_name = "DIR|s3://BUCKET[/PREFIX]")]
    pub location: Option<String>,
    /// Tell callers apart by these fields alone; without it by all that the engine can tell
    #[arg(long, value_name = "FIELD,…", value_delimiter = ',', value_parser = field_parser())]
    pub by: Vec<Field>,
}

const SQL_HELP: &str = "\
The statements are to be run one after the other; each ends with a semicolon at the end of a line. Spark has to be 4.0 or later,
DuckDB 1.3, Athena's engine version 3.
A query gives the same callers as the pattern itself, or there is none: what an engine cannot say exactly is refused with the
field and the construct.

Exit status: 0, or 2 after any error.";

/// Engines that a question can be written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SqlEngine {
    /// Amazon Athena, with its table
    Athena,
    /// Apache Spark SQL
    Spark,
    #[value(help = "DuckDB")]
    Duckdb,
    /// CloudWatch Logs Insights
    LogsInsights,
}

/// How findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VerifyFormat {
    /// For people: a line each, and the totals
    Text,
    /// One object, `{"findings":[…],"totals":{…}}`
    Json,
}

/// How a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Table,
    /// One object, `{"callers":[…]}`
    Json,
    /// For spreadsheets
    Csv,
}

/// Scheme, host and port, without a slash at the end.
fn parse_endpoint(text: &str) -> Result<String, String> {
    let wanted = || "wants a URL such as http://127.0.0.1:4566".to_owned();
    let uri: Uri = text.parse().map_err(|_| wanted())?;
    let scheme = uri.scheme_str().filter(|scheme| ["http", "https"].contains(scheme)).ok_or_else(wanted)?;
    let authority = uri.authority().filter(|authority| !authority.as_str().contains('@')).ok_or_else(wanted)?;
    if uri.path() != "/" || uri.query().is_some() {
        return Err("wants a URL without a path".into());
    }
    Ok(format!("{scheme}://{authority}"))
}

/// One of [`Field::ALL`], by its name.
fn field_parser() -> impl TypedValueParser<Value = Field> {
    let names = Field::ALL.map(|field| PossibleValue::new(field.name()).help(field.about()));
    PossibleValuesParser::new(names).try_map(|name| {
        Field::ALL.into_iter().find(|field| field.name() == name).ok_or_else(|| format!("no field is named {name}"))
    })
}

/// A day begins at midnight, UTC.
fn parse_day_or_time(text: &str) -> Result<Timestamp, String> {
    let day = || Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z"));
    let time = Timestamp::parse_rfc3339(text).or_else(day);
    time.ok_or_else(|| "wants a day or a time such as 2026-03-14 or 2026-03-14T09:00:00Z".to_owned())
}

fn parse_time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_rfc3339(text).ok_or_else(|| "wants a time such as 2026-03-14T09:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Command, clap::Error> {
        Arguments::try_parse_from(line.split(' ')).map(|arguments| arguments.command)
    }

    #[test]
    fn the_definition_holds_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn serve_has_defaults() {
        let Ok(Command::Serve(serve)) = parse("sigtrail serve") else { panic!("serve wants no argument") };
        assert_eq!(serve.listen.to_string(), DEFAULT_ADDRESS);
        assert_eq!(serve.data, PathBuf::from("./sigtrail-data"));
        assert_eq!((serve.config, serve.admin_listen, serve.tls_self_signed, serve.bare), (None, None, false, false));
    }

    #[test]
    fn callers_has_defaults() {
        let Ok(Command::Callers(callers)) = parse("sigtrail callers") else { panic!("callers wants no argument") };
        assert_eq!(callers.endpoint, format!("http://{DEFAULT_ADDRESS}"));
        assert_eq!(callers.by, Field::ALL);
        assert_eq!((callers.data, callers.refused, callers.format), (None, false, Format::Table));
    }

    #[test]
    fn fields_have_the_names_of_reports() {
        for field in Field::ALL {
            let line = format!("sigtrail callers --by {field}");
            let Ok(Command::Callers(callers)) = parse(&line) else { panic!("{line}") };
            assert_eq!(callers.by, [field]);
        }
    }

    #[test]
    fn lists_and_endpoints_are_parsed() {
        let line =
            "sigtrail callers --by bucket,access_key_id --endpoint https://s3.example:8443/ --format csv --refused";
        let Ok(Command::Callers(callers)) = parse(line) else { panic!("{line}") };
        assert_eq!(callers.by, [Field::Bucket, Field::AccessKeyId]);
        assert_eq!(callers.endpoint, "https://s3.example:8443");
        assert_eq!((callers.refused, callers.format), (true, Format::Csv));
    }

    #[test]
    fn verify_wants_a_place() {
        assert!(parse("sigtrail verify").is_err());
        let line = "sigtrail verify s3://logs/p --since 2026-03-14T09:00:00Z --keys a --keys b";
        let Ok(Command::Verify(verify)) = parse(line) else { panic!("{line}") };
        assert_eq!((verify.target.as_str(), verify.keys.len()), ("s3://logs/p", 2));
        assert!(verify.since.is_some() && verify.until.is_none());
        assert!(parse("sigtrail verify . --until yesterday").is_err());
    }

    #[test]
    fn match_has_three_modes() {
        let Ok(Command::Match(one)) = parse("sigtrail match -cv --explain -f p.json a.jsonl -") else {
            panic!("pattern")
        };
        assert_eq!(one.pattern, Some(PathBuf::from("p.json")));
        assert_eq!((one.count, one.invert_match, one.explain, one.validate), (true, true, true, false));
        assert_eq!(one.files, [PathBuf::from("a.jsonl"), PathBuf::from("-")]);
        let Ok(Command::Match(cases)) = parse("sigtrail match --cases -") else { panic!("cases") };
        assert_eq!((cases.cases, cases.files), (Some(PathBuf::from("-")), Vec::new()));
        let Ok(Command::Match(rules)) = parse("sigtrail match --validate --rules r a b") else { panic!("rules") };
        assert_eq!((rules.rules, rules.files.len(), rules.validate), (Some(PathBuf::from("r")), 2, true));
    }

    #[test]
    fn sql_wants_an_engine_and_a_question() {
        let line = "sigtrail sql --engine logs-insights --check sigv2 --by bucket";
        let Ok(Command::Sql(sql)) = parse(line) else { panic!("{line}") };
        assert_eq!((sql.engine, sql.check.as_deref()), (SqlEngine::LogsInsights, Some("sigv2")));
        assert_eq!((sql.by, sql.location, sql.pattern), (vec![Field::Bucket], None, None));
    }

    #[test]
    fn mistakes_are_usage_errors() {
        let lines = [
            "sigtrail match",
            "sigtrail match a.jsonl",
            "sigtrail match --pattern",
            "sigtrail match --pattern p --rules r",
            "sigtrail match --pattern p --cases c",
            "sigtrail match --cases c --rules r",
            "sigtrail match --cases c a.jsonl",
            "sigtrail match --cases c --count",
            "sigtrail match --rules r --explain",
            "sigtrail match --rules r --invert-match",
            "sigtrail match --count a.jsonl",
            "sigtrail sql --engine duckdb",
            "sigtrail sql --check sigv2",
            "sigtrail sql --engine duckdb --check sigv2 --pattern p",
            "sigtrail sql --engine sqlite --check sigv2",
            "sigtrail",
            "sigtrail scan",
            "sigtrail serve --listen 4566",
            "sigtrail serve --tls-cert a.pem",
            "sigtrail serve --tls-key a.pem",
            "sigtrail serve --tls-self-signed --tls-cert a.pem --tls-key b.pem",
            "sigtrail serve extra",
            "sigtrail callers --by region",
            "sigtrail callers --format yaml",
            "sigtrail callers --data d --endpoint http://127.0.0.1:4566",
            "sigtrail callers --data d --insecure",
            "sigtrail callers --endpoint 127.0.0.1:4566",
            "sigtrail callers --endpoint ftp://127.0.0.1",
            "sigtrail callers --endpoint http://name:secret@127.0.0.1",
            "sigtrail callers --endpoint http://127.0.0.1/_sigtrail/callers",
        ];
        for line in lines {
            let error = parse(line).expect_err(line);
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }
}
