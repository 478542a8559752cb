# Generated from hubspot-batch.yaml by `python scripts/regenerate.py`: do not edit.
# openapi-python-client==0.29.1, ruff==0.17.6

from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...models.batch_read_request import BatchReadRequest
from ...models.batch_reply import BatchReply
from ...models.error_reply import ErrorReply
from ...models.target_type import TargetType
from ...types import UNSET, Response, Unset


def _get_kwargs(
    object_type: TargetType,
    *,
    body: BatchReadRequest,
    archived: bool | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    params: dict[str, Any] = {}

    params["archived"] = archived

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/crm/v3/objects/{object_type}/batch/read".format(
            object_type=quote(str(object_type), safe=""),
        ),
        "params": params,
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> BatchReply | ErrorReply:
    if response.status_code == 200:
        response_200 = BatchReply.from_dict(response.json())

        return response_200

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
    object_type: TargetType,
    *,
    client: AuthenticatedClient,
    body: BatchReadRequest,
    archived: bool | Unset = UNSET,
) -> Response[BatchReply | ErrorReply]:
    """Read 1 to 100 contacts, companies, deals or products

     Finds each record as the reads of the four object types do. The scope is that of the object type in
    the path.

    Args:
        object_type (TargetType): An object type that records are linked with, and that is read
            only here.
        archived (bool | Unset):
        body (BatchReadRequest): The body of every read operation.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[BatchReply | ErrorReply]
    """

    kwargs = _get_kwargs(
        object_type=object_type,
        body=body,
        archived=archived,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    object_type: TargetType,
    *,
    client: AuthenticatedClient,
    body: BatchReadRequest,
    archived: bool | Unset = UNSET,
) -> BatchReply | ErrorReply | None:
    """Read 1 to 100 contacts, companies, deals or products

     Finds each record as the reads of the four object types do. The scope is that of the object type in
    the path.

    Args:
        object_type (TargetType): An object type that records are linked with, and that is read
            only here.
        archived (bool | Unset):
        body (BatchReadRequest): The body of every read operation.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        BatchReply | ErrorReply
    """

    return sync_detailed(
        object_type=object_type,
        client=client,
        body=body,
        archived=archived,
    ).parsed


async def asyncio_detailed(
    object_type: TargetType,
    *,
    client: AuthenticatedClient,
    body: BatchReadRequest,
    archived: bool | Unset = UNSET,
) -> Response[BatchReply | ErrorReply]:
    """Read 1 to 100 contacts, companies, deals or products

     Finds each record as the reads of the four object types do. The scope is that of the object type in
    the path.

    Args:
        object_type (TargetType): An object type that records are linked with, and that is read
            only here.
        archived (bool | Unset):
        body (BatchReadRequest): The body of every read operation.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[BatchReply | ErrorReply]
    """

    kwargs = _get_kwargs(
        object_type=object_type,
        body=body,
        archived=archived,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    object_type: TargetType,
    *,
    client: AuthenticatedClient,
    body: BatchReadRequest,
    archived: bool | Unset = UNSET,
) -> BatchReply | ErrorReply | None:
    """Read 1 to 100 contacts, companies, deals or products

     Finds each record as the reads of the four object types do. The scope is that of the object type in
    the path.

    Args:
        object_type (TargetType): An object type that records are linked with, and that is read
            only here.
        archived (bool | Unset):
        body (BatchReadRequest): The body of every read operation.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        BatchReply | ErrorReply
    """

    return (
        await asyncio_detailed(
            object_type=object_type,
            client=client,
            body=body,
            archived=archived,
        )
    ).parsed
