"""Why the demo stopped."""

import httpx


class DemoError(Exception):
    """A step did not go as it must; the text says what was answered."""


def expect(response: httpx.Response, *statuses: int) -> httpx.Response:
    if response.status_code not in statuses:
        wanted = " or ".join(map(str, statuses))
        raise DemoError(
            f"{response.request.method} {response.request.url.path} answered "
            f"{response.status_code} instead of {wanted}:\n{response.text[:3000]}"
        )
    return response
