# Generated from hubspot-batch.yaml by `python scripts/regenerate.py`: do not edit.
# openapi-python-client==0.29.1, ruff==0.17.6

from http import HTTPStatus
from typing import Any

import httpx

from ...client import AuthenticatedClient, Client
from ...models.batch_create_request import BatchCreateRequest
from ...models.batch_reply import BatchReply
from ...models.error_reply import ErrorReply
from ...types import Response


def _get_kwargs(
    *,
    body: BatchCreateRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/crm/v3/objects/commerce_payments/batch/create",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> BatchReply | ErrorReply:
    if response.status_code == 201:
        response_201 = BatchReply.from_dict(response.json())

        return response_201

    if response.status_code == 207:
        response_207 = BatchReply.from_dict(response.json())

        return response_207

    if response.status_code == 429:
        response_429 = ErrorReply.from_dict(response.json())

        return response_429

    if 200 <= response.status_code <= 299:
        response_2xx = BatchReply.from_dict(response.json())

        return response_2xx

    response_default = ErrorReply.from_dict(response.json())

    return response_default


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[BatchReply | ErrorReply]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    body: BatchCreateRequest,
) -> Response[BatchReply | ErrorReply]:
    """Create 1 to 100 commerce payments

     Each payment needs the properties `hs_initial_amount` and `hs_initiated_date`. The operation
    records money that was received elsewhere; it moves none.

    Args:
        body (BatchCreateRequest): The body of every create operation.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[BatchReply | ErrorReply]
    """

    kwargs = _get_kwargs(
        body=body,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    body: BatchCreateRequest,
) -> BatchReply | ErrorReply | None:
    """Create 1 to 100 commerce payments

     Each payment needs the properties `hs_initial_amount` and `hs_initiated_date`. The operation
    records money that was received elsewhere; it moves none.

    Args:
        body (BatchCreateRequest): The body of every create operation.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        BatchReply | ErrorReply
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: BatchCreateRequest,
) -> Response[BatchReply | ErrorReply]:
    """Create 1 to 100 commerce payments

     Each payment needs the properties `hs_initial_amount` and `hs_initiated_date`. The operation
    records money that was received elsewhere; it moves none.

    Args:
        body (BatchCreateRequest): The body of every create operation.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[BatchReply | ErrorReply]
    """

    kwargs = _get_kwargs(
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    body: BatchCreateRequest,
) -> BatchReply | ErrorReply | None:
    """Create 1 to 100 commerce payments

     Each payment needs the properties `hs_initial_amount` and `hs_initiated_date`. The operation
    records money that was received elsewhere; it moves none.

    Args:
        body (BatchCreateRequest): The body of every create operation.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        BatchReply | ErrorReply
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
