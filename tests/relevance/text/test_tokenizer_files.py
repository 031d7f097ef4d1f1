import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from tokenizers import Tokenizer, models, normalizers

from relevance.errors import RelevanceError
from relevance.text.tokenizer_files import read_tokenizer

TODO = "Use a tokenizer.json, a vocab.txt, a folder that holds one, or `minilm`."
UNCASED = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "##s"]
CASED = [*UNCASED, "The", "Élan"]


def ids(tokenizer: Tokenizer, text: str) -> list[str]:
    return list(tokenizer.encode(text, add_special_tokens=False).tokens)


def vocabulary(path: Path, tokens: list[str]) -> Path:
    path.write_text("".join(f"{token}\n" for token in tokens), encoding="utf-8")
    return path


def test_a_vocabulary_without_capitals_is_uncased(tmp_path: Path) -> None:
    tokenizer = read_tokenizer(str(vocabulary(tmp_path / "vocab.txt", UNCASED)))
    assert ids(tokenizer, "The CÁTS [SEP]") == ["the", "cat", "##s", "[SEP]"]


def test_a_vocabulary_with_capitals_is_cased(tmp_path: Path) -> None:
    tokenizer = read_tokenizer(str(vocabulary(tmp_path / "my.txt", CASED)))
    assert ids(tokenizer, "The the CATS Élan") == ["The", "the", "[UNK]", "Élan"]


def test_a_stray_capital_makes_no_vocabulary_cased(tmp_path: Path) -> None:
    words = [*UNCASED, *(f"word{letter * n}" for letter in "ab" for n in range(1, 60)), "Stray"]
    tokenizer = read_tokenizer(str(vocabulary(tmp_path / "vocab.txt", words)))
    assert ids(tokenizer, "The CATS") == ["the", "cat", "##s"]


def test_capitals_are_looked_for_in_every_script(tmp_path: Path) -> None:
    words = ["[UNK]", "кот", "Кот"]
    assert ids(read_tokenizer(str(vocabulary(tmp_path / "vocab.txt", words))), "Кот") == ["Кот"]


@pytest.mark.parametrize(
    ("words", "lowers", "message"),
    [
        (CASED, True, "brings texts to lower case, but its vocabulary is cased ('The')"),
        (UNCASED, False, "keeps capitals, but its vocabulary has none"),
        (CASED, False, None),
        (UNCASED, True, None),
    ],
)
def test_casing_is_that_of_the_vocabulary(
    words: list[str], lowers: bool, message: str | None, tmp_path: Path
) -> None:
    tokenizer = Tokenizer(models.WordPiece({word: code for code, word in enumerate(words)}))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowers)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    if message is None:
        read_tokenizer(str(tmp_path))
        return
    with pytest.raises(RelevanceError) as error:
        read_tokenizer(str(tmp_path))
    assert message in str(error.value)


@pytest.mark.parametrize("config", ['{"vocab_size": 7}', '{"text_config": {"vocab_size": 7}}'])
def test_more_tokens_than_the_model_beside_has_vectors(config: str, tmp_path: Path) -> None:
    vocabulary(tmp_path / "vocab.txt", UNCASED)
    (tmp_path / "config.json").write_text(config.replace("7", "8"), encoding="utf-8")
    read_tokenizer(str(tmp_path))
    (tmp_path / "config.json").write_text(config, encoding="utf-8")
    with pytest.raises(RelevanceError) as error:
        read_tokenizer(str(tmp_path))
    assert "has the token 7 ('##s'), but there are vectors for 7 tokens only" in str(error.value)


def test_a_folder_gives_its_tokenizer_before_its_vocabulary(tmp_path: Path) -> None:
    vocabulary(tmp_path / "vocab.txt", UNCASED)
    assert ids(read_tokenizer(str(tmp_path)), "the") == ["the"]
    Tokenizer(models.WordLevel({"all": 0}, "all")).save(str(tmp_path / "tokenizer.json"))
    assert ids(read_tokenizer(str(tmp_path)), "the") == ["all"]


def test_an_empty_folder_holds_no_tokenizer(tmp_path: Path) -> None:
    with pytest.raises(RelevanceError) as error:
        read_tokenizer(str(tmp_path))
    assert str(error.value) == f"{tmp_path} holds no tokenizer.json or vocab.txt. {TODO}"


@pytest.mark.parametrize("name", ["nowhere/at/all", "./bert", "missing.json", "vocab.txt", "~/b"])
def test_a_missing_file_is_not_looked_up_on_the_hub(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RelevanceError) as error:
        read_tokenizer(name)
    assert str(error.value) == f"Tokenizer '{name}': no such file. {TODO}"


@pytest.mark.parametrize("content", ["", "{}", "[1", "no JSON at all", '{"model": "é"}'])
def test_a_file_that_is_no_tokenizer(content: str, tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(RelevanceError) as error:
        read_tokenizer(str(path))
    message = str(error.value)
    assert message.startswith(f"{path} is no tokenizer: ")
    assert message.endswith(f". {TODO}")
    assert "\n" not in message


def test_a_text_that_is_no_vocabulary(tmp_path: Path) -> None:
    path = vocabulary(tmp_path / "notes.txt", ["Dear diary,", "today"])
    with pytest.raises(RelevanceError) as error:
        read_tokenizer(str(path))
    assert str(error.value) == f"{path} is no BERT vocabulary: it has no [UNK]. {TODO}"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(RelevanceError, match=r"notes\.txt is no vocabulary: .*UTF-8.*`minilm`\.$"):
        read_tokenizer(str(path))


class Hub(BaseHTTPRequestHandler):
    """Answers as the hub does for one tokenizer of one model."""

    content = Tokenizer(models.WordLevel({"all": 0}, "all")).to_str().encode()
    etag = hashlib.sha256(content).hexdigest()

    def do_HEAD(self) -> None:
        known = self.path == "/org/model/resolve/main/tokenizer.json"
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", str(len(self.content) if known else 0))
        self.send_header(
            "ETag", f'"{hashlib.sha1(self.content, usedforsecurity=False).hexdigest()}"'
        )
        self.send_header("X-Repo-Commit", "a" * 40)
        if not known:
            self.send_header("X-Error-Code", "RepoNotFound")
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        self.wfile.write(self.content)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Keep quiet."""


@contextmanager
def hub() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def ask(name: str, endpoint: str, cache: Path) -> subprocess.CompletedProcess[str]:
    """In a process of its own, as the hub's library reads its settings when it is imported."""
    code = """if True:
        import json, sys
        from relevance.errors import RelevanceError
        from relevance.text.tokenizer_files import read_tokenizer
        try:
            print(json.loads(read_tokenizer(sys.argv[1]).to_str())["model"]["vocab"])
        except RelevanceError as error:
            print(error)
        assert not {"torch", "transformers"} & set(sys.modules)
    """
    settings = {"HF_ENDPOINT": endpoint, "HF_HOME": str(cache), "NO_PROXY": "127.0.0.1"}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, name],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=True,
    )


@pytest.mark.process
def test_a_tokenizer_is_fetched_from_the_hub_and_then_read_from_its_cache(tmp_path: Path) -> None:
    with hub() as endpoint:
        answers = [ask("org/model", endpoint, tmp_path)]
        unknown = ask("org/other", endpoint, tmp_path)
    answers.append(ask("org/model", endpoint, tmp_path))
    assert [answer.stdout for answer in answers] == ["{'all': 0}\n"] * 2
    assert unknown.stdout.startswith(
        "Tokenizer 'org/other' cannot be fetched from the hub (404 Client Error"
    )
    assert unknown.stdout.endswith(f"). {TODO}\n")
    assert unknown.stdout.count("\n") == 1


def test_what_is_no_name_on_the_hub_is_one_line_too() -> None:
    with pytest.raises(RelevanceError, match=r"^Tokenizer 'a--b' cannot be fetched .*`minilm`\.$"):
        read_tokenizer("a--b")


@pytest.mark.process
def test_a_hub_out_of_reach_is_one_line_at_once(tmp_path: Path) -> None:
    start_s = time.monotonic()
    answer = ask("bert-base-uncased", "http://127.0.0.1:9", tmp_path)
    assert time.monotonic() - start_s < 10
    assert answer.stdout.startswith(
        "Tokenizer 'bert-base-uncased' cannot be fetched from the hub ("
    )
    assert answer.stdout.endswith(f"). {TODO}\n")
    assert answer.stdout.count("\n") == 1
    assert answer.stderr == ""
