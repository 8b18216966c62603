import json

import pytest

from pipeline.serve.refused import RefusedError


@pytest.mark.parametrize(
    ("status", "kind"), [(400, "invalid_request_error"), (503, "server_error")]
)
def test_a_refusal_has_the_shape_that_clients_of_openai_read(status, kind):
    refused = RefusedError(status, "no", code="c", param="p", headers={"Retry-After": "1"})
    response = refused.response()
    assert response.status_code == status
    assert response.headers["retry-after"] == "1"
    said = {"message": "no", "type": kind, "param": "p", "code": "c"}
    assert json.loads(response.body) == {"error": said}
