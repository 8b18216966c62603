"""What a client may send, and how it is read: JSON, or a form with a file.

A picture comes as bytes. No address is fetched, and no path is looked at.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from starlette.requests import Request

from pipeline.decide.settings import ClassifySettings, Rule
from pipeline.index.hybrid import Mode
from pipeline.index.where import LONGEST
from pipeline.pictures.file import UnreadableImageError
from pipeline.pictures.received import require_decodable
from pipeline.serve.limits import LONGEST_TEXT, MOST_HITS, SMALL_BODY, Limits
from pipeline.serve.questions import Item
from pipeline.serve.refused import RefusedError

LONGEST_PATH = 1000
"""Characters of a class path."""


def check_picture(picture: str | bytes, max_pixels: int) -> bytes:
    """Take a picture as a client sends it, by what its first bytes say; it is decoded later.

    Args:
        picture: A file's bytes, or these in base64, perhaps as a `data:` URL.
        max_pixels: Width times height at most.

    Raises:
        ValueError: It is no picture, or one that takes too much to decode.
    """
    if isinstance(picture, str):
        if picture.startswith("data:"):
            picture = picture.partition(",")[2]
        try:
            data = base64.b64decode("".join(picture.split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValueError("not base64 of a picture's file") from error
    else:
        data = picture
    try:
        require_decodable(data, max_pixels)
    except UnreadableImageError as error:
        raise ValueError(str(error)) from error
    return data


def limits_of(info: ValidationInfo) -> Limits:
    """The limits that `read_form` validates with."""
    assert info.context is not None, "validated without limits"
    return info.context["limits"]


def _read_picture(value: Any, info: ValidationInfo) -> bytes | list[bytes] | None:
    if value is None:
        return None
    limits = limits_of(info)
    if isinstance(value, list):
        if not value:
            raise ValueError("a list without a picture")
        if len(value) > limits.max_items:
            raise ValueError(f"{len(value)} pictures; {limits.max_items} are the limit")
        return [_checked(one, limits.max_pixels) for one in value]
    return _checked(value, limits.max_pixels)


def _checked(value: Any, max_pixels: int) -> bytes:
    if not isinstance(value, (str, bytes)):
        raise ValueError("not base64 of a picture's file")
    return check_picture(value, max_pixels)


_FILE = {"type": "string", "contentEncoding": "base64"}
Picture = Annotated[
    bytes | list[bytes] | None,
    BeforeValidator(_read_picture),
    WithJsonSchema(
        {
            "anyOf": [_FILE, {"type": "array", "items": _FILE, "minItems": 1}],
            "description": "A picture's file, or a list of those of one item, which count as one "
            "picture together: in JSON in base64, in a form as they are.",
        }
    ),
]
Text = Annotated[str, StringConstraints(max_length=LONGEST_TEXT)]


class Form(BaseModel):
    """What a request says; anything else is a mistake."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)


class ItemForm(Form):
    """An item: a picture or several, a text or both."""

    text: Text | None = None
    """As a person writes it."""
    image: Picture = None

    @model_validator(mode="after")
    def _has_something(self) -> Self:
        if self.text is None and self.image is None:
            raise ValueError("give text, image or both")
        return self

    def item(self) -> Item:
        """Give it as the model takes it."""
        return Item(self.image, self.text)


class SearchForm(ItemForm):
    """What to look for: a picture, a text, or both as one item."""

    k: Annotated[int, Field(ge=1, le=MOST_HITS)] = 10
    """How many items to find."""
    within: Annotated[str, StringConstraints(max_length=LONGEST_PATH)] | None = None
    """First part or parts of a class path, each in full; only items there are found."""
    where: Annotated[str, StringConstraints(max_length=LONGEST)] | None = None
    """What has to be true of an item, by the kept columns: `price < 50 and brand == 'Nike'`."""
    mode: Mode | None = None
    """What a text is searched by; as the index was made if not given."""

    @model_validator(mode="after")
    def _has_words(self) -> Self:
        if self.mode == "words" and self.text is None:
            raise ValueError("mode words: the text is missing")
        return self


class ItemsForm(Form):
    """Items."""

    items: Annotated[list[ItemForm], Field(min_length=1)]
    """Each a picture, a text or both."""

    @model_validator(mode="before")
    @classmethod
    def _not_too_many(cls, data: Any, info: ValidationInfo) -> Any:
        if isinstance(data, dict) and isinstance(data.get("items"), list):
            most, items = limits_of(info).max_items, data["items"]
            count = sum(map(_weight, items))
            if count > most:
                what = "items" if count == len(items) else "items and further pictures of them"
                raise ValueError(f"{count} {what}; {most} are the limit: ask several times")
        return data


def _weight(item: Any) -> int:
    """What an item, as it was sent, counts: as much as it has pictures, if it has several."""
    image = item.get("image") if isinstance(item, dict) else None
    return max(1, len(image)) if isinstance(image, list) else 1


class ClassifyForm(ItemsForm):
    """Which items to classify, and how certain it has to be."""

    k: Annotated[int, Field(ge=1, le=MOST_HITS)] = 3
    """Classes to name per item."""
    precision: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Share of the filed items that shall be filed rightly; as the server was started if not given,
    which goes for what follows too."""
    confidence: Annotated[float, Field(ge=0.5, lt=1)] | None = None
    """Probability that the thresholds keep it."""
    decide: Rule | None = None
    """Which node an item is given whatever its precision."""
    beta: Annotated[float, Field(gt=0, le=100)] | None = None
    """Of rule `hf_beta`."""

    def settings(self, usual: ClassifySettings) -> ClassifySettings:
        """Say what counts, by what is usual and what the client gave."""
        given = {name: getattr(self, name) for name in type(usual).model_fields}
        told = {name: value for name, value in given.items() if value is not None}
        return usual.model_copy(update=told)


class EmbedForm(ItemsForm):
    """Which items to embed."""


AnyForm = TypeVar("AnyForm", bound=BaseModel)


async def read_form(request: Request, form: type[AnyForm], limits: Limits) -> AnyForm:
    """Read the body of a request.

    A form of a browser has one item, whose `image` is a file, or several; all else is read as JSON,
    whatever it calls itself.

    Raises:
        RefusedError: It is no JSON, or not as `form` says, or a picture of it cannot be used.
    """
    context = {"limits": limits}
    try:
        if request.headers.get("content-type", "").startswith("multipart/form-data"):
            fields = await _read_multipart(request, limits.max_items)
            if "items" in form.model_fields:
                item = {name: fields.pop(name) for name in ItemForm.model_fields if name in fields}
                fields["items"] = [item]
            return await asyncio.to_thread(form.model_validate, fields, context=context)
        body = await request.body()
        if len(body) <= SMALL_BODY:
            return form.model_validate_json(body, context=context)
        # Others are answered while it is read.
        return await asyncio.to_thread(form.model_validate_json, body, context=context)
    except ValidationError as error:
        raise _refusal(error) from error


async def _read_multipart(request: Request, max_files: int) -> dict[str, Any]:
    async with request.form(max_files=max_files, max_fields=20) as form:
        fields: dict[str, Any] = {}
        files: dict[str, list[bytes]] = {}
        for name, value in form.multi_items():
            # What is left empty on a page was not given: a text, or a file without a name.
            if isinstance(value, str):
                fields |= {name: value} if value else {}
            elif value.filename:
                files.setdefault(name, []).append(await value.read())
        return fields | {name: of if len(of) > 1 else of[0] for name, of in files.items()}


def _refusal(error: ValidationError) -> RefusedError:
    """Tell the first mistake, and nothing of what was sent."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    param = ".".join(map(str, first["loc"])) or None
    message = first["msg"].removeprefix("Value error, ")
    return RefusedError(400, f"{param}: {message}" if param else message, param=param)


def body_of(form: type[BaseModel]) -> dict[str, Any]:
    """Describe what `read_form` reads, for the OpenAPI document."""
    content = {"application/json": {"schema": _schema(form)}}
    if issubclass(form, ItemsForm | ItemForm):
        schema = _schema(form)
        properties = schema["properties"] | _schema(ItemForm)["properties"]
        properties.pop("items", None)
        file = {"type": "string", "format": "binary"}
        properties["image"] = {**properties["image"], "type": "array", "items": file}
        properties["image"].pop("anyOf")
        content["multipart/form-data"] = {"schema": {"type": "object", "properties": properties}}
    return {"requestBody": {"required": True, "content": content}}


def _schema(form: type[BaseModel]) -> dict[str, Any]:
    """A schema without references, which mean something else within the document."""
    schema = form.model_json_schema()
    defined = schema.pop("$defs", {})

    def inlined(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                return inlined(defined[node["$ref"].rpartition("/")[2]])
            return {key: inlined(value) for key, value in node.items()}
        return [inlined(one) for one in node] if isinstance(node, list) else node

    return inlined(schema)
