"""What a client is told instead of an answer: on every route in the shape that OpenAI's has."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import JSONResponse

GONE = 499
"""Status in the metrics of a request whose client did not wait; nobody is sent it."""


class RefusedError(Exception):
    """A request that is not answered."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Say why.

        Args:
            status: Of HTTP.
            message: One line: what is wrong, and what to do.
            code: A word for programs.
            param: What of the request is wrong.
            headers: That go with it.
        """
        super().__init__(message)
        self.status, self.message, self.code, self.param = status, message, code, param
        self.headers = dict(headers or {})

    def response(self) -> JSONResponse:
        """Say it in JSON: `{"error": {"message", "type", "param", "code"}}`."""
        ours = self.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        error = {
            "message": self.message,
            "type": "server_error" if ours else "invalid_request_error",
            "param": self.param,
            "code": self.code,
        }
        return JSONResponse({"error": error}, self.status, self.headers)
