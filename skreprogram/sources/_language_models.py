"""Folders of Hugging Face language models: what they say of themselves, read without running code.

Weights are read from safetensors files alone, and ``trust_remote_code`` is always off.
"""

import hashlib
import json
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import torch

from skreprogram.sources._download import DownloadError, sha256_of
from skreprogram.sources._text_encoder import HEADS, TextEncoder, check_decoder

# what a folder of a hub may hold for us; never code, never pickles
PATTERNS = ("*.json", "*.txt", "*.model", "model*.safetensors")
MAKERS = {
    "encoder": "AutoModel",
    "masked": "AutoModelForMaskedLM",
    "causal": "AutoModelForCausalLM",
}


class LanguageFacts(NamedTuple):
    """What a language model takes and gives.

    Parameters
    ----------
    kind : {"encoder", "masked", "causal"}
        What it was trained for.
    head : {"none", "transform", "decoder"}
        What its states go through.
    max_length : int
        Most positions.
    n_embedded : int
        Length of a token's vector.
    n_outputs : int
        Length of the answer.
    """

    kind: str
    head: str
    max_length: int
    n_embedded: int
    n_outputs: int


def imported_transformers():
    """Return the package transformers, or say which extra brings it."""
    try:
        import transformers
    except ImportError as error:
        raise ImportError(
            f"Got {error!r} for a source of text, expected the package transformers. Run "
            '`pip install "skreprogram[text]"`.'
        ) from error
    return transformers


def folder_of(name_or_folder, download=True):
    """Path of a model's folder: as given, or fetched from the Hugging Face hub.

    Parameters
    ----------
    name_or_folder : path-like
        A folder, or a name of the hub such as ``"google/bert_uncased_L-2_H-128_A-2"``.
    download : bool, default=True
        Whether files may be downloaded; otherwise the hub's cache is all there is.

    Returns
    -------
    folder : pathlib.Path
    """
    folder = Path(name_or_folder).expanduser()
    if folder.is_dir():
        return folder.resolve()
    imported_transformers()
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        options = {"allow_patterns": list(PATTERNS), "local_files_only": not download}
        return Path(snapshot_download(str(name_or_folder), **options))
    except (OSError, HFValidationError, HfHubHTTPError) as error:
        raise DownloadError(
            f"Got {str(name_or_folder)!r}, which is no folder here and could not be had from the "
            f"Hugging Face hub ({type(error).__name__}: {error}). Expected a folder with "
            "config.json and model.safetensors, or a name of the hub and a way to it."
        ) from error


def weights_of(folder):
    """Path of the safetensors file of a folder, or of the index of several such files."""
    for name in ("model.safetensors", "model.safetensors.index.json"):
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(
        f"Got {str(folder)!r} without model.safetensors, expected weights in that format: others "
        "can hold code. Convert them, for example by transformers' save_pretrained."
    )


def digest_of(path):
    """The sha256 of a file of weights, or of the hashes of all files that an index names."""
    if path.suffix != ".json":
        return sha256_of(path)
    shards = sorted(set(json.loads(path.read_text("utf-8"))["weight_map"].values()))
    hashes = "".join(sha256_of(path.parent / shard) for shard in shards)
    return hashlib.sha256(hashes.encode()).hexdigest()


def facts_of(folder, head="auto"):
    """What a folder's configuration says; no weights are read.

    Parameters
    ----------
    folder : pathlib.Path
        With config.json.
    head : {"auto", "none", "transform", "decoder"}, default="auto"
        What the states go through; "auto" is "transform" for masked language models.

    Returns
    -------
    facts : LanguageFacts
    """
    transformers = imported_transformers()
    config = transformers.AutoConfig.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False
    )
    kind = _kind(config)
    if head == "auto":
        head = "transform" if kind == "masked" else "none"
    if head not in HEADS:
        raise ValueError(f"Got head={head!r}, expected 'auto' or one of {list(HEADS)}.")
    with torch.device("meta"), torch.random.fork_rng(devices=[]):
        model = _maker(kind, head).from_config(config)
    decoder = model.get_output_embeddings()
    if head == "none":
        n_outputs = config.hidden_size
    else:
        check_decoder(model, decoder, head)
        n_outputs = decoder.out_features if head == "decoder" else decoder.in_features
    n_embedded = model.get_input_embeddings().weight.shape[1]
    return LanguageFacts(kind, head, _n_positions(config, model), n_embedded, n_outputs)


def load_encoder(folder, kind, head):
    """Load a folder's weights into a :class:`TextEncoder`.

    Parameters
    ----------
    folder : pathlib.Path
        With config.json and safetensors.
    kind, head : str
        As in :class:`LanguageFacts`.

    Returns
    -------
    encoder : TextEncoder

    Raises
    ------
    ValueError
        For files without a part that answers would depend on.
    """
    where = {"local_files_only": True, "use_safetensors": True, "trust_remote_code": False}
    with torch.random.fork_rng(devices=[]), _silence():
        model, found = _maker(kind, head).from_pretrained(folder, output_loading_info=True, **where)
    # transformers draws at random what a file lacks; nobody reads a pooler
    lacking = sorted(name for name in found["missing_keys"] if "pooler" not in name)
    if lacking:
        raise ValueError(
            f"Got weights in {str(folder)!r} without {lacking[:3]}, which head={head!r} needs, "
            "expected all of them. Use head='none', or the folder of a whole model."
        )
    model.config.use_cache = False
    return TextEncoder(model, head, looks_back=kind == "causal")


@lru_cache(maxsize=8)
def load_tokenizer(folder):
    """Load a folder's tokenizer, once in a process."""
    transformers = imported_transformers()
    return transformers.AutoTokenizer.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False
    )


def special_tokens(tokenizer):
    """Numbers of a tokenizer's special tokens, as pairs of a name of ``Vocabulary`` and a number.

    Start and end are what the tokenizer puts around a text; where it puts nothing, a token for the
    beginning of texts is used if there is one, so that empty texts have a position.
    """
    bare = tokenizer("a", add_special_tokens=False)["input_ids"]
    dressed = tokenizer("a")["input_ids"]
    places = [i for i in range(len(dressed)) if dressed[i : i + len(bare)] == bare]
    before, behind = (
        (dressed[: places[0]], dressed[places[0] + len(bare) :]) if places else ([], [])
    )
    found = {
        "padding": tokenizer.pad_token_id,
        "unknown": tokenizer.unk_token_id,
        "mask": tokenizer.mask_token_id,
        "start": before[0] if before else tokenizer.bos_token_id,
        "end": behind[-1] if behind else None,
    }
    return tuple((name, number) for name, number in found.items() if number is not None)


def _kind(config):
    written = (getattr(config, "architectures", None) or [""])[0]
    if getattr(config, "is_encoder_decoder", False):
        raise ValueError(
            f"Got a {config.model_type} model, an encoder with a decoder, expected an encoder, a "
            "masked or a causal language model. Choose one of these."
        )
    if written.endswith(("ForMaskedLM", "ForPreTraining")):
        return "masked"
    return "causal" if written.endswith(("ForCausalLM", "LMHeadModel")) else "encoder"


def _maker(kind, head):
    # without a head the decoder, often the largest part, is not even loaded
    return getattr(imported_transformers(), MAKERS["encoder" if head == "none" else kind])


def _n_positions(config, model):
    n_positions = getattr(config, "max_position_embeddings", None) or 2**15
    for part in model.modules():
        # some count positions from the number of the padding token on
        if isinstance(part, torch.nn.Embedding) and part.num_embeddings == n_positions:
            return n_positions - (0 if part.padding_idx is None else part.padding_idx + 1)
    return n_positions


@contextmanager
def _silence():
    """No bars and reports of transformers, which prints them whatever `verbose` says."""
    logging = imported_transformers().utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
