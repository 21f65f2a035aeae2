"""What clients send: the bodies of requests."""

import json
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StrictInt, StrictStr, model_validator


class Body(BaseModel):
    """A body of JSON that can be written in UTF-8 again."""

    @model_validator(mode="before")
    @classmethod
    def refuse_what_utf_8_cannot_write(cls, content: object) -> object:
        """A lone surrogate, which is half of a character, stops the tokenizer and the answer; NaN and infinity are no JSON."""
        try:
            json.dumps(content, ensure_ascii=False, allow_nan=False).encode()
        except UnicodeEncodeError:
            raise ValueError("it holds a lone surrogate, half of a character") from None
        except ValueError:
            raise ValueError("it holds NaN or an infinite number, which are no JSON") from None
        except RecursionError:
            raise ValueError("it is nested too deep") from None
        return content


class EmbeddingRequest(Body):
    """Body of `/v1/embeddings`."""

    model: str
    input: StrictStr | list[StrictStr] | list[StrictInt] | list[list[StrictInt]]
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = None


class TextPart(BaseModel):
    """A piece of a message; other kinds than text are refused."""

    type: Literal["text"]
    text: str


class ChatMessage(BaseModel):
    """One message of a conversation."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart] | None = None

    @property
    def text(self) -> str:
        """The content as one text."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content)
        return self.content or ""


class JsonSchema(BaseModel):
    """The schema that an answer must have."""

    name: str
    schema_: Annotated[dict, Field(alias="schema")] = {}


class ResponseFormat(BaseModel):
    """What the answer looks like: free text, any JSON object, or JSON of a schema."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


class StreamOptions(BaseModel):
    """Whether a stream ends with the number of tokens."""

    include_usage: bool = False


class ChatRequest(Body):
    """Body of `/v1/chat/completions`. Parameters that steer how a language model samples are accepted and mean nothing."""

    model: str
    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    response_format: ResponseFormat | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: Literal[1, None] = None
    tools: Annotated[list | None, Field(max_length=0)] = None
