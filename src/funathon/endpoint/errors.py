"""Errors as OpenAI's API writes them."""

import json

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException


class ApiError(Exception):
    """An answer in OpenAI's form of an error: HTTP status, message, and which parameter is at fault."""

    def __init__(self, status: int, message: str, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.param, self.code = status, message, param, code


class AsciiResponse(JSONResponse):
    """JSON in ASCII: what a client has sent comes back escaped, half of a character among it, which UTF-8 cannot write."""

    def render(self, content: object) -> bytes:
        """The content as bytes."""
        return json.dumps(content, separators=(",", ":")).encode("ascii")


def error_answer(status: int, message: str, param: str | None = None, code: str | None = None) -> JSONResponse:
    """An error as OpenAI's API writes it."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return AsciiResponse({"error": {"message": message, "type": kind, "param": param, "code": code}}, status_code=status)


def tell_errors(app: FastAPI) -> None:
    """Let an application answer in this form whatever goes wrong."""

    @app.exception_handler(ApiError)
    async def api_error(request: Request, error: ApiError) -> JSONResponse:
        return error_answer(error.status, error.message, error.param, error.code)

    @app.exception_handler(RequestValidationError)
    async def bad_body(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        reason = first["msg"].removeprefix("Value error, ")
        param = ".".join(str(part) for part in first["loc"] if part != "body")
        return error_answer(400, f"{param or 'The body'}: {reason}.", param or None)

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> JSONResponse:
        message = str(error.detail)
        if error.status_code == 404:
            message = f"There is no {request.url.path} here. The base URL of this endpoint ends in /v1."
        return error_answer(error.status_code, message)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        return error_answer(500, f"The embedded endpoint failed ({type(error).__name__}); its log tells more.")
