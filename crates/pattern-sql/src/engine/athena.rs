//! Amazon Athena, whose SQL is Trino's.
//!
//! Source: Athena user guide, "Create a table for CloudTrail logs in Athena using manual partitioning" and "… using partition
//! projection", whose table this is; "Query CloudTrail logs", by which `requestParameters`, `responseElements`,
//! `additionalEventData` and `serviceEventDetails` are JSON in columns of texts; Trino documentation, "JSON functions and
//! operators", "Array functions", "Lambda expressions".
//!
//! Of the other elements the table has what the guide's table has, as texts: a missing text and a null are the same there, and
//! what has no column is not known. Such questions are refused.

use report::Field;

use crate::dialect::{Dialect, Is, Kind, Value};
use crate::engine::{Callers, Text, column, folder, grouped};
use crate::error::{Refusal, SqlError};
use crate::lexical::{hex, like, path_step};
use crate::shape::{Known, known};

/// Columns that hold an element's JSON.
const JSON_COLUMNS: [&str; 4] = ["requestParameters", "responseElements", "additionalEventData", "serviceEventDetails"];
/// The members of `resources` that the table has.
const RESOURCE_MEMBERS: [&str; 3] = ["ARN", "accountId", "type"];

const COLUMNS: &str = "    eventversion STRING,
    useridentity STRUCT<
        type: STRING,
        principalid: STRING,
        arn: STRING,
        accountid: STRING,
        invokedby: STRING,
        accesskeyid: STRING,
        username: STRING,
        onbehalfof: STRUCT<
            userid: STRING,
            identitystorearn: STRING>,
        sessioncontext: STRUCT<
            attributes: STRUCT<
                mfaauthenticated: STRING,
                creationdate: STRING>,
            sessionissuer: STRUCT<
                type: STRING,
                principalid: STRING,
                arn: STRING,
                accountid: STRING,
                username: STRING>,
            ec2roledelivery: STRING,
            webidfederationdata: STRUCT<
                federatedprovider: STRING,
                attributes: MAP<STRING, STRING>>>>,
    eventtime STRING,
    eventsource STRING,
    eventname STRING,
    awsregion STRING,
    sourceipaddress STRING,
    useragent STRING,
    errorcode STRING,
    errormessage STRING,
    requestparameters STRING,
    responseelements STRING,
    additionaleventdata STRING,
    requestid STRING,
    eventid STRING,
    readonly STRING,
    resources ARRAY<STRUCT<
        arn: STRING,
        accountid: STRING,
        type: STRING>>,
    eventtype STRING,
    apiversion STRING,
    recipientaccountid STRING,
    serviceeventdetails STRING,
    sharedeventid STRING,
    vpcendpointid STRING,
    vpcendpointaccountid STRING,
    eventcategory STRING,
    sessioncredentialfromconsole STRING,
    tlsdetails STRUCT<
        tlsversion: STRING,
        ciphersuite: STRING,
        clientprovidedhostheader: STRING>";

/// The engine.
pub(crate) struct Athena;

impl Athena {
    /// The first character of a value's JSON, which tells its kind.
    fn sign(value: &str) -> String {
        format!("substr(json_format({value}), 1, 1)")
    }
}

impl Dialect for Athena {
    fn literal(&self, text: &str) -> Result<String, Refusal> {
        Ok(if text.chars().any(char::is_control) {
            format!("from_utf8(from_hex('{}'))", hex(text))
        } else {
            format!("'{}'", text.replace('\'', "''"))
        })
    }

    fn field(&self, steps: &[&str]) -> Result<(Value, usize), Refusal> {
        let name = steps.join(".");
        let single = |kind| Value { expression: column_of(&name), kind, single: true };
        match (known(&name), steps) {
            (Some(Known::Text), _) => Ok((single(Kind::Text), steps.len())),
            (Some(Known::Flag), ["readOnly"]) => Ok((single(Kind::Flag), 1)),
            (_, ["resources", _]) => {
                Ok((Value { expression: "resources".to_owned(), kind: Kind::Rows, single: false }, 1))
            }
            (_, [column, member, ..]) if JSON_COLUMNS.contains(column) => {
                let column = column.to_ascii_lowercase();
                let expression = format!("json_extract({column}, '${}')", path_step(member)?);
                Ok((Value { expression, kind: Kind::Json, single: false }, 2))
            }
            (_, [column]) if JSON_COLUMNS.contains(column) => {
                Err(Refusal::new("an element as a whole, where the table does not tell null from nothing"))
            }
            _ => Err(Refusal::new("a field that has no column in the table of Athena's user guide")),
        }
    }

    fn source(&self) -> Result<Value, Refusal> {
        let expression = "concat('aws.', split_part(eventsource, '.', 1))".to_owned();
        Ok(Value { expression, kind: Kind::Text, single: true })
    }

    fn member(&self, object: &Value, name: &str) -> Result<Value, Refusal> {
        match object.kind {
            Kind::Row if RESOURCE_MEMBERS.contains(&name) => {
                let expression = format!("{}.{}", object.expression, name.to_ascii_lowercase());
                Ok(Value { expression, kind: Kind::Text, single: true })
            }
            Kind::Row => Err(Refusal::new(format!("{name:?} of a resource, which has no column in the table"))),
            _ => {
                let expression = format!("json_extract({}, '${}')", object.expression, path_step(name)?);
                Ok(Value { expression, kind: Kind::Json, single: false })
            }
        }
    }

    fn element(&self, value: &Value, name: &str) -> Value {
        let kind = if value.kind == Kind::Rows { Kind::Row } else { Kind::Json };
        Value { expression: name.to_owned(), kind, single: true }
    }

    fn some(&self, value: &Value, name: &str, holds: &str) -> String {
        let (expression, outer, inner) = (value.expression.as_str(), format!("{name}o"), format!("{name}i"));
        if value.kind == Kind::Rows {
            return format!("coalesce(any_match({expression}, {name} -> {holds}), FALSE)");
        }
        let is_array = |value: &str| format!("{} = '['", Self::sign(value));
        let cast = |value: &str| format!("CAST({value} AS ARRAY(JSON))");
        // A text that is no JSON is an error, which says what was wrong.
        let deeper = format!(
            "transform({}, {inner} -> IF({}, json_parse('an array in an array in an array'), {inner}))",
            cast(&outer),
            is_array(&inner)
        );
        let elements = format!(
            "IF({}, flatten(transform({}, {outer} -> IF({}, {deeper}, ARRAY[{outer}]))), ARRAY[{expression}])",
            is_array(expression),
            cast(expression),
            is_array(&outer)
        );
        format!("({expression} IS NOT NULL AND coalesce(any_match({elements}, {name} -> {holds}), FALSE))")
    }

    fn text(&self, value: &Value) -> Result<String, Refusal> {
        let expression = &value.expression;
        Ok(if value.kind == Kind::Json {
            format!("IF({} = '\"', json_extract_scalar({expression}, '$'))", Self::sign(expression))
        } else {
            expression.clone()
        })
    }

    fn number(&self, value: &Value) -> Result<String, Refusal> {
        let json = format!("json_format({})", value.expression);
        Ok(format!("IF(regexp_like({json}, '^[-0-9]'), {json})"))
    }

    fn double(&self, number: &str) -> String {
        format!("TRY_CAST({number} AS DOUBLE)")
    }

    fn comparable(&self, number: &str) -> String {
        format!(
            "IF(length({number}) <= 15 AND regexp_like({number}, '^-?[0-9.]+([eE][+-]?[0-9]{{1,2}})?$'), TRUE, \
             CAST(concat('a number of more than 15 digits cannot be compared: ', {number}) AS BOOLEAN))"
        )
    }

    fn is(&self, value: &Value, what: Is) -> Result<String, Refusal> {
        let json = format!("json_format({})", value.expression);
        Ok(match what {
            Is::Scalar => format!("coalesce({} NOT IN ('{{', '['), TRUE)", Self::sign(&value.expression)),
            Is::True => format!("{json} = 'true'"),
            Is::False => format!("{json} = 'false'"),
            // In an array a null of JSON may come as SQL's.
            Is::Null => format!("coalesce({json}, 'null') = 'null'"),
        })
    }

    fn full_match(&self, text: &str, regex: &str) -> Result<String, Refusal> {
        Ok(format!("regexp_like({text}, {})", self.literal(&format!("(?s)\\A(?:{regex})\\z"))?))
    }

    fn like(&self, text: &str, pieces: &[&str]) -> Result<String, Refusal> {
        Ok(format!("{text} LIKE {} ESCAPE '!'", self.literal(&like(pieces))?))
    }
}

impl Callers for Athena {
    fn column(&self, field: Field) -> Result<String, Refusal> {
        Ok(column(field, |text| {
            format!("array_join(filter(split({text}, ' '), part -> NOT starts_with(part, 'm/')), ' ')")
        }))
    }

    fn statements(
        &self,
        filter: &str,
        columns: &[(Field, String)],
        location: Option<&str>,
    ) -> Result<Vec<String>, SqlError> {
        let example = "s3://bucket/AWSLogs/111122223333/CloudTrail/us-east-1/";
        let folder = folder(location, example)?;
        if !folder.starts_with("s3://") || folder.contains(['\'', '$']) {
            return Err(SqlError::Location(format!("Athena reads from a bucket, such as {example}")));
        }
        let matching = format!("WITH matching AS (\n    SELECT * FROM cloudtrail_logs\n    WHERE {filter}\n)");
        let query = grouped(&matching, columns, |text| match text {
            Text::At(path) => column_of(path),
            Text::BucketArn => "element_at(filter(resources, one -> one.type = 'AWS::S3::Bucket'), 1).arn".to_owned(),
        });
        Ok(vec![table(folder), query])
    }
}

/// Where the table has the text behind a way that is known.
fn column_of(path: &str) -> String {
    match path.split_once('.') {
        Some((column, member)) if JSON_COLUMNS.contains(&column) => {
            format!("json_extract_scalar({}, '$[\"{member}\"]')", column.to_ascii_lowercase())
        }
        _ => path.to_ascii_lowercase(),
    }
}

/// The guide's table. A region's logs lie in a folder for each day, which partition projection knows without asking.
fn table(folder: &str) -> String {
    let formats = "ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'\n\
                   STORED AS INPUTFORMAT 'com.amazon.emr.cloudtrail.CloudTrailInputFormat'\n\
                   OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'";
    let (partitions, properties) = if is_of_region(folder) {
        let properties = format!(
            "\nTBLPROPERTIES (\n    'projection.enabled' = 'true',\n    'projection.timestamp.format' = 'yyyy/MM/dd',\n    \
             'projection.timestamp.interval' = '1',\n    'projection.timestamp.interval.unit' = 'DAYS',\n    \
             'projection.timestamp.range' = '2013/11/01,NOW',\n    'projection.timestamp.type' = 'date',\n    \
             'storage.location.template' = '{folder}/${{timestamp}}')"
        );
        ("\nPARTITIONED BY (`timestamp` STRING)", properties)
    } else {
        ("", String::new())
    };
    format!(
        "CREATE EXTERNAL TABLE IF NOT EXISTS cloudtrail_logs (\n{COLUMNS}\n){partitions}\n{formats}\n\
         LOCATION '{folder}/'{properties}"
    )
}

/// Whether it is `…/CloudTrail/region`.
fn is_of_region(folder: &str) -> bool {
    let mut last = folder.rsplit('/');
    let region = last.next().unwrap_or_default();
    last.next() == Some("CloudTrail") && region.matches('-').count() >= 2
}
