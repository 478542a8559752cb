# Generated from hubspot-batch.yaml by `python scripts/regenerate.py`: do not edit.
# openapi-python-client==0.29.1, ruff==0.17.6

from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...models.association_reply import AssociationReply
from ...models.batch_association_request import BatchAssociationRequest
from ...models.error_reply import ErrorReply
from ...models.object_type import ObjectType
from ...types import Response


def _get_kwargs(
    from_object_type: ObjectType,
    to_object_type: ObjectType,
    *,
    body: BatchAssociationRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/crm/associations/2026-09/{from_object_type}/{to_object_type}/batch/create".format(
            from_object_type=quote(str(from_object_type), safe=""),
            to_object_type=quote(str(to_object_type), safe=""),
        ),
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> AssociationReply | ErrorReply:
    if response.status_code == 201:
        response_201 = AssociationReply.from_dict(response.json())

        return response_201

    if response.status_code == 207:
        response_207 = AssociationReply.from_dict(response.json())

        return response_207

    if response.status_code == 429:
        response_429 = ErrorReply.from_dict(response.json())

        return response_429

    if 200 <= response.status_code <= 299:
        response_2xx = AssociationReply.from_dict(response.json())

        return response_2xx

    response_default = ErrorReply.from_dict(response.json())

    return response_default


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[AssociationReply | ErrorReply]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    from_object_type: ObjectType,
    to_object_type: ObjectType,
    *,
    client: AuthenticatedClient,
    body: BatchAssociationRequest,
) -> Response[AssociationReply | ErrorReply]:
    """Link 1 to 100 pairs of records

     Links records of one object type with records of another, in one or more meanings. A link that
    exists
    already stays as it is.

    Args:
        from_object_type (ObjectType): An object type that this document is about, by the name
            that stands in paths.
        to_object_type (ObjectType): An object type that this document is about, by the name that
            stands in paths.
        body (BatchAssociationRequest): The body of the operation that links records.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[AssociationReply | ErrorReply]
    """

    kwargs = _get_kwargs(
        from_object_type=from_object_type,
        to_object_type=to_object_type,
        body=body,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    from_object_type: ObjectType,
    to_object_type: ObjectType,
    *,
    client: AuthenticatedClient,
    body: BatchAssociationRequest,
) -> AssociationReply | ErrorReply | None:
    """Link 1 to 100 pairs of records

     Links records of one object type with records of another, in one or more meanings. A link that
    exists
    already stays as it is.

    Args:
        from_object_type (ObjectType): An object type that this document is about, by the name
            that stands in paths.
        to_object_type (ObjectType): An object type that this document is about, by the name that
            stands in paths.
        body (BatchAssociationRequest): The body of the operation that links records.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        AssociationReply | ErrorReply
    """

    return sync_detailed(
        from_object_type=from_object_type,
        to_object_type=to_object_type,
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    from_object_type: ObjectType,
    to_object_type: ObjectType,
    *,
    client: AuthenticatedClient,
    body: BatchAssociationRequest,
) -> Response[AssociationReply | ErrorReply]:
    """Link 1 to 100 pairs of records

     Links records of one object type with records of another, in one or more meanings. A link that
    exists
    already stays as it is.

    Args:
        from_object_type (ObjectType): An object type that this document is about, by the name
            that stands in paths.
        to_object_type (ObjectType): An object type that this document is about, by the name that
            stands in paths.
        body (BatchAssociationRequest): The body of the operation that links records.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[AssociationReply | ErrorReply]
    """

    kwargs = _get_kwargs(
        from_object_type=from_object_type,
        to_object_type=to_object_type,
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    from_object_type: ObjectType,
    to_object_type: ObjectType,
    *,
    client: AuthenticatedClient,
    body: BatchAssociationRequest,
) -> AssociationReply | ErrorReply | None:
    """Link 1 to 100 pairs of records

     Links records of one object type with records of another, in one or more meanings. A link that
    exists
    already stays as it is.

    Args:
        from_object_type (ObjectType): An object type that this document is about, by the name
            that stands in paths.
        to_object_type (ObjectType): An object type that this document is about, by the name that
            stands in paths.
        body (BatchAssociationRequest): The body of the operation that links records.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        AssociationReply | ErrorReply
    """

    return (
        await asyncio_detailed(
            from_object_type=from_object_type,
            to_object_type=to_object_type,
            client=client,
            body=body,
        )
    ).parsed
