//! Stacks from their request to their end.

use std::fmt::Write as _;
use std::time::Instant;

use anyhow::{Result, ensure};
use testkit::client::Client;

use crate::process::{Server, folder};
use crate::report::{Report, median};

const TIMES: usize = 9;
/// As many resources as a template may have.
const RESOURCES: usize = 500;

pub fn run(report: &mut Report) -> Result<()> {
    let folder = folder()?;
    let server = Server::audited(folder.path())?;
    let mut client = server.connect()?;
    let mut took = Vec::new();
    for number in 0..TIMES {
        let name = format!("audit{number}");
        let parameters =
            [("Parameters.member.1.ParameterKey", "AllBuckets"), ("Parameters.member.1.ParameterValue", "true")];
        took.push(created(&mut client, &name, detector::HOME, &parameters)?);
        deleted(&mut client, &name)?;
    }
    report.add(
        format!("the detector's template to CREATE_COMPLETE, median of {TIMES}"),
        format!("{:.0} ms", median(&mut took)),
        "aim 200 ms",
    );
    let mut many = String::from("Resources:\n");
    for number in 0..RESOURCES {
        writeln!(many, "  Q{number}: {{Type: 'AWS::SQS::Queue'}}")?;
    }
    let (made, gone) = (created(&mut client, "many", &many, &[])?, deleted(&mut client, "many")?);
    report.add(format!("{RESOURCES} queues"), format!("{made:.0} ms"), format!("{gone:.0} ms to delete them"));
    server.stop()
}

/// Milliseconds until the stack is there.
fn created(client: &mut Client, name: &str, template: &str, parameters: &[(&str, &str)]) -> Result<f64> {
    let begun = Instant::now();
    let all = [&[("StackName", name), ("TemplateBody", template)], parameters].concat();
    ask(client, "CreateStack", &all)?;
    loop {
        // The answer to the request comes at the end of the operation, unless that takes seconds.
        let shown = ask(client, "DescribeStacks", &[("StackName", name)])?;
        if !shown.contains("_IN_PROGRESS<") {
            ensure!(shown.contains("<StackStatus>CREATE_COMPLETE<"), "{shown}");
            return Ok(begun.elapsed().as_secs_f64() * 1e3);
        }
    }
}

/// Milliseconds until it is not.
fn deleted(client: &mut Client, name: &str) -> Result<f64> {
    let begun = Instant::now();
    ask(client, "DeleteStack", &[("StackName", name)])?;
    let member = format!("<StackName>{name}<");
    while ask(client, "DescribeStacks", &[])?.contains(&member) {}
    Ok(begun.elapsed().as_secs_f64() * 1e3)
}

fn ask(client: &mut Client, action: &str, parameters: &[(&str, &str)]) -> Result<String> {
    Ok(client.query("cloudformation", "2010-05-15", action, parameters)?)
}
