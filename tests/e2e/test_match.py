"""`sigtrail match`: a grep for events."""

import gzip
import json
import os
import subprocess

import pytest

from sigtrail import BINARY, REPOSITORY

CONFORMANCE = REPOSITORY.parent / "shared" / "conformance"
SIGV2 = {"source": ["aws.s3"], "detail": {"additionalEventData": {"SignatureVersion": ["SigV2"]}}}


def event(version, source="aws.s3", **more):
    return json.dumps({"source": source, "detail": {"additionalEventData": {"SignatureVersion": version}}, **more})


OLD, NEW, OTHER = event("SigV2"), event("SigV4"), event("SigV2", source="aws.ec2", name="\u00e9")


@pytest.fixture
def match(tmp_path):
    """Runs `sigtrail match` in a folder that has the files `files` and, in `pattern`, the SigV2 pattern."""

    def run(*arguments, stdin="", pattern=SIGV2, **files):
        for name, content in {"pattern": json.dumps(pattern, indent=2), **files}.items():
            (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        stdin = stdin if isinstance(stdin, bytes) else stdin.encode()
        command = [str(BINARY), "match", *arguments]
        done = subprocess.run(command, input=stdin, cwd=tmp_path, capture_output=True, timeout=120)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    return run


def lines(*texts):
    return "".join(text + "\n" for text in texts)


def test_matching_lines_as_grep_does(match):
    everything = lines(OLD, NEW, OTHER, OLD)
    assert match("--pattern", "pattern", stdin=everything) == (0, lines(OLD, OLD), "")
    assert match("--pattern", "pattern", "--invert-match", stdin=everything) == (0, lines(NEW, OTHER), "")
    assert match("--pattern", "pattern", "--count", stdin=everything) == (0, "2\n", "")
    assert match("--pattern", "pattern", "--count", "--invert-match", stdin=everything) == (0, "2\n", "")


def test_exit_status(match):
    assert match("--pattern", "pattern", stdin=lines(NEW)) == (1, "", "")
    assert match("--pattern", "pattern", stdin="") == (1, "", "")
    assert match("--pattern", "pattern", "--count", stdin=lines(NEW)) == (1, "0\n", "")
    assert match("--pattern", "pattern", "--invert-match", stdin=lines(OLD)) == (1, "", "")
    assert match("--pattern", "pattern", "--no-such-flag")[0] == 2
    assert match()[0] == 2


def test_files(match):
    files = {"a": lines(OLD, NEW), "b": lines(NEW), "c": lines(OTHER, OLD)}
    assert match("--pattern", "pattern", "a", "b", "c", **files) == (0, lines(OLD, OLD), "")
    assert match("--pattern", "pattern", "--count", "a", "b", "c") == (0, "a:1\nb:0\nc:1\n", "")
    assert match("--pattern", "pattern", "--count", "-", "a", stdin=lines(OLD)) == (0, "(standard input):1\na:1\n", "")
    code, out, errors = match("--pattern", "pattern", "a", "missing", "c")
    assert (code, out) == (2, lines(OLD, OLD)) and errors.startswith("sigtrail: missing: No such file")
    code, out, errors = match("--pattern", "pattern", "--count", ".", "a")
    assert (code, out.splitlines()[-1]) == (2, "a:1") and errors.startswith("sigtrail: .: ")


def test_lines_are_printed_as_they_are(match):
    odd = '  {"detail" : {"additionalEventData":{"SignatureVersion":"Sig\\u00562"}}, "source":"aws.s3"}\t'
    mixed = "\ufeff" + OLD + "\r\n\r\n   \n" + odd + "\n\n" + OLD
    assert match("--pattern", "pattern", stdin=mixed) == (0, f"{OLD}\r\n{odd}\n{OLD}\n", "")


def test_gzip_is_told_by_content(match):
    packed = gzip.compress(lines(OLD, NEW).encode()) + gzip.compress(lines(OLD).encode())
    assert match("--pattern", "pattern", "a", a=packed) == (0, lines(OLD, OLD), "")
    assert match("--pattern", "pattern", stdin=packed) == (0, lines(OLD, OLD), "")
    code, out, errors = match("--pattern", "pattern", "b", "a", b=packed[:-30])
    assert (code, out) == (2, lines(OLD, OLD, OLD)) and errors.startswith("sigtrail: b: ")
    name = "pattern.gz"
    assert match("--pattern", name, "a", **{name: gzip.compress(json.dumps(SIGV2).encode())})[0] == 0


def test_lines_longer_than_the_buffer(match):
    long = [event("SigV2", pad="x" * size) for size in (65_000, 66_000, 1_000_000, 1_100_000, 20_000_000)]
    assert match("--pattern", "pattern", stdin=lines(NEW, *long, NEW)) == (0, lines(*long), "")


def test_broken_lines_are_errors_and_not_answers(match):
    broken = lines(OLD, "", '{"source": nonsense, "x": "SigV2"}', NEW, '["aws.s3"]', OLD)
    code, out, errors = match("--pattern", "pattern", "a", a=broken)
    assert (code, out) == (2, lines(OLD, OLD))
    first, second = errors.splitlines()
    assert first.startswith("sigtrail: a:3: ") and "byte 11" in first
    assert second.startswith("sigtrail: a:5: ") and "byte 0" in second
    assert match("--pattern", "pattern", "--invert-match", "a")[:2] == (2, lines(NEW))
    assert match("--pattern", "pattern", "--count", "a")[:2] == (2, "2\n")
    code, out, errors = match("--pattern", "pattern", stdin="{")
    assert (code, out) == (2, "") and errors.startswith("sigtrail: (standard input):1: ")


def test_undecided_is_an_error(match):
    pattern = {"l": {"x": [{"exists": True}], "y": [1], "z": [{"exists": False}, 2]}}
    hard = json.dumps({"l": [{"x": number, "y": 1, "z": 1} for number in range(5_000)]})
    code, out, errors = match("--pattern", "pattern", pattern=pattern, stdin=lines(hard))
    assert (code, out) == (2, "") and "too many ways" in errors
    assert match("--pattern", "pattern", "--invert-match", pattern=pattern, stdin=lines(hard))[:2] == (2, "")


def test_validate_checks_what_no_pattern_reads(match):
    broken = '{"source":"aws.s3","detail":{"additionalEventData":{"SignatureVersion":"SigV2"}},"x":[01]}'
    assert match("--pattern", "pattern", stdin=lines(broken, OLD)) == (0, lines(broken, OLD), "")
    code, out, errors = match("--pattern", "pattern", "--validate", stdin=lines(broken, OLD))
    assert (code, out) == (2, lines(OLD))
    assert errors.startswith("sigtrail: (standard input):1: ") and "byte 8" in errors
    rules = json.dumps({"name": "r", "pattern": SIGV2})
    code, out, _ = match("--rules", "rules", "--validate", rules=rules, stdin=lines(broken, OLD))
    assert (code, out) == (2, 'null\n["r"]\n')


def test_explain(match):
    hostile = event("Sig\x1b[31m\u202eV4")
    code, out, errors = match("--pattern", "pattern", "--explain", "a", a=lines(OLD, NEW, "", event(None), hostile))
    assert (code, errors) == (0, "")
    field = "detail.additionalEventData.SignatureVersion"
    told = out.splitlines()
    assert told[0] == f'a:1: match: {field}: is "SigV2", as asked by ["SigV2"]; source: is "aws.s3", as asked by ["aws.s3"]'
    assert told[1:4] == [
        OLD,
        f'a:2: no match: {field}: is "SigV4", asked for ["SigV2"]',
        f'a:4: no match: {field}: is null, asked for ["SigV2"]',
    ]
    assert told[4].startswith("a:5: no match: ") and told[4].isprintable() and len(told) == 5
    code, out, _ = match("--pattern", "pattern", "--explain", "--invert-match", "a")
    assert [line for line in out.splitlines() if line.startswith("{")] == [NEW, event(None), hostile]
    code, out, _ = match("--pattern", "pattern", "--explain", stdin="{}\n")
    assert code == 1 and f"{field}: is missing" in out and "source: is missing" in out


def test_patterns_are_refused_with_their_place(match):
    bad = '{\n  "source": "aws.s3"\n}\n'
    code, out, errors = match("--pattern", "bad", "missing", bad=bad)
    assert (code, out) == (2, "") and errors.startswith('sigtrail: bad:2:')
    assert errors.endswith(': "source" must be an object or an array\n')
    assert match("--pattern", "missing")[0] == 2
    assert match("--pattern", "-", "a", stdin=json.dumps(SIGV2), a=lines(OLD)) == (0, lines(OLD), "")
    assert match("--pattern", "-", stdin=json.dumps(SIGV2))[0] == 2


def test_cases_agree_with_the_corpus(match):
    corpus = (CONFORMANCE / "event-patterns.jsonl").read_text()
    code, out, errors = match("--cases", "-", stdin=corpus)
    assert (code, errors) == (0, "")
    cases = [json.loads(line) for line in corpus.splitlines()]
    answers = [json.loads(line) for line in out.splitlines()]
    assert [answer["id"] for answer in answers] == [case["id"] for case in cases]
    compared = 0
    for case, answer in zip(cases, answers):
        assert ("error" in answer) == (answer["result"] == "invalid-pattern"), answer
        if any(tag.startswith("quirk:") for tag in case["tags"]):
            continue
        compared += 1
        assert answer["result"] == case["expected"], (case, answer)
        if case.get("error_kind") == "semantic":
            assert answer["error"] == case["error"], (case, answer)
    assert compared > 4_500


def test_cases_that_are_broken(match):
    cases = lines(
        json.dumps({"id": 1, "pattern": json.dumps(SIGV2), "event": OLD}),
        "nonsense",
        json.dumps({"id": "x", "pattern": json.dumps(SIGV2)}),
        json.dumps({"id": "y", "pattern": json.dumps(SIGV2), "event": "[]"}),
        json.dumps({"id": "z", "pattern": "{}", "event": "[]"}),
    )
    code, out, errors = match("--cases", "cases", cases=cases)
    assert code == 2
    answers = [json.loads(line) for line in out.splitlines()]
    assert answers[0] == {"id": 1, "result": "match"}
    assert (answers[1]["id"], answers[1]["result"]) == ("y", "error") and "byte 0" in answers[1]["error"]
    assert answers[2] == {"id": "z", "result": "invalid-pattern", "error": "Empty objects are not allowed"}
    assert [line.split(":")[1:3] for line in errors.splitlines()] == [[" cases", "2"], [" cases", "3"]]


def test_all_rules_of_the_corpus_at_once(match):
    cases = [json.loads(line) for line in (CONFORMANCE / "event-patterns.jsonl").read_text().splitlines()]
    sets = [json.loads(line) for line in (CONFORMANCE / "event-patterns-sets.jsonl").read_text().splitlines()]
    free = {case["id"] for case in cases if any(tag.startswith("quirk:") for tag in case["tags"])}
    # Patterns go in as they are written: repeated keys and number forms count.
    rules = {
        case["id"]: f'{{"name":"{case["id"]}","pattern":{" ".join(case["pattern"].splitlines())}}}'
        for case in cases
        if case["expected"] != "invalid-pattern" and case["id"] not in free
    }
    assert len(rules) > 4_200
    events = {case["id"]: " ".join(case["event"].splitlines()) for case in cases}
    shuffled = sorted(rules, key=lambda name: name[::-1])
    stdin = lines(*(events[one["event_of"]] for one in sets))
    code, out, errors = match("--rules", "rules", stdin=stdin, rules=lines(*(rules[name] for name in shuffled)))
    assert (code, errors) == (0, "")
    answers = [json.loads(line) for line in out.splitlines()]
    assert len(answers) == len(sets) == 260
    for one, answer in zip(sets, answers):
        assert answer == sorted(set(answer))
        differ = set(answer) ^ set(one["matches"])
        assert differ <= set(one["ignore"]) | free, one["event_of"]


def test_rules(match):
    rules = lines(
        json.dumps({"name": "z", "pattern": SIGV2, "more": 1}),
        "",
        json.dumps({"name": "\u00e9\n", "pattern": {"source": [{"exists": True}]}}),
        json.dumps({"name": "B", "pattern": {"source": ["aws.s3"]}}),
    )
    files = {"rules": rules, "a": lines(OLD, "{}", "", "broken", NEW), "b": OTHER}
    code, out, errors = match("--rules", "rules", "a", "b", **files)
    assert code == 2
    assert [json.loads(line) for line in out.splitlines()] == [
        ["B", "z", "\u00e9\n"], [], None, ["B", "\u00e9\n"], ["\u00e9\n"],
    ]
    assert errors.startswith("sigtrail: a:4: ")
    assert match("--rules", "rules", "b")[0] == 0
    assert match("--rules", "rules", stdin="{}\n") == (1, "[]\n", "")


def test_rules_that_are_broken(match):
    rules = lines(
        json.dumps({"name": "a", "pattern": SIGV2}),
        '{"name":"b","pattern":{"a":1}}',
        json.dumps({"name": "a", "pattern": SIGV2}),
        '{"name":"c"}',
    )
    code, out, errors = match("--rules", "rules", rules=rules, stdin=lines(OLD))
    assert (code, out) == (2, "")
    told = errors.splitlines()
    assert told[0].startswith("sigtrail: rules:2:29: ") and '"a" must be an object or an array' in told[0]
    assert told[1].startswith("sigtrail: rules:3: ") and "line 1" in told[1]
    assert told[2].startswith("sigtrail: rules:4:") and len(told) == 3
    assert match("--rules", "missing")[0] == 2


def test_results_come_before_more_input_is_waited_for(tmp_path):
    (tmp_path / "pattern").write_text(json.dumps(SIGV2))
    command = [str(BINARY), "match", "--pattern", str(tmp_path / "pattern")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    for text in (OLD, event("SigV2", number=2)):
        process.stdin.write(lines(NEW, text))
        process.stdin.flush()
        assert process.stdout.readline() == text + "\n"
    process.stdin.close()
    assert process.wait(timeout=20) == 0


def test_a_reader_that_has_seen_enough(tmp_path):
    (tmp_path / "pattern").write_text(json.dumps(SIGV2))
    (tmp_path / "events").write_text(lines(OLD) * 100_000)
    reader, writer = os.pipe()
    command = [str(BINARY), "match", "--pattern", str(tmp_path / "pattern"), str(tmp_path / "events")]
    process = subprocess.Popen(command, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    os.read(reader, 100)
    os.close(reader)
    assert process.communicate(timeout=20)[1] == ""
    assert process.returncode == 0
