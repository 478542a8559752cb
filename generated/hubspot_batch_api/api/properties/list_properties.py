# Generated from hubspot-batch.yaml by `python scripts/regenerate.py`: do not edit.
# openapi-python-client==0.29.1, ruff==0.17.6

from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ...client import AuthenticatedClient, Client
from ...models.data_sensitivity import DataSensitivity
from ...models.error_reply import ErrorReply
from ...models.object_type import ObjectType
from ...models.property_definitions import PropertyDefinitions
from ...types import UNSET, Response, Unset


def _get_kwargs(
    object_type: ObjectType,
    *,
    archived: bool | Unset = UNSET,
    data_sensitivity: DataSensitivity | Unset = UNSET,
    locale: str | Unset = UNSET,
    properties: str | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["archived"] = archived

    json_data_sensitivity: str | Unset = UNSET
    if not isinstance(data_sensitivity, Unset):
        json_data_sensitivity = data_sensitivity

    params["dataSensitivity"] = json_data_sensitivity

    params["locale"] = locale

    params["properties"] = properties

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/crm/v3/properties/{object_type}".format(
            object_type=quote(str(object_type), safe=""),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ErrorReply | PropertyDefinitions:
    if response.status_code == 200:
        response_200 = PropertyDefinitions.from_dict(response.json())

        return response_200

    if response.status_code == 429:
        response_429 = ErrorReply.from_dict(response.json())

        return response_429

    if 200 <= response.status_code <= 299:
        response_2xx = PropertyDefinitions.from_dict(response.json())

        return response_2xx

    response_default = ErrorReply.from_dict(response.json())

    return response_default


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[ErrorReply | PropertyDefinitions]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    object_type: ObjectType,
    *,
    client: AuthenticatedClient,
    archived: bool | Unset = UNSET,
    data_sensitivity: DataSensitivity | Unset = UNSET,
    locale: str | Unset = UNSET,
    properties: str | Unset = UNSET,
) -> Response[ErrorReply | PropertyDefinitions]:
    """List the properties of an object type

     All definitions in one reply: names, types and options, whether values are unique, and whether they
    can be written. Any one of the scopes is enough.

    Args:
        object_type (ObjectType): An object type that this document is about, by the name that
            stands in paths.
        archived (bool | Unset):
        data_sensitivity (DataSensitivity | Unset): How sensitive the values of a property are.
        locale (str | Unset):
        properties (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorReply | PropertyDefinitions]
    """

    kwargs = _get_kwargs(
        object_type=object_type,
        archived=archived,
        data_sensitivity=data_sensitivity,
        locale=locale,
        properties=properties,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    object_type: ObjectType,
    *,
    client: AuthenticatedClient,
    archived: bool | Unset = UNSET,
    data_sensitivity: DataSensitivity | Unset = UNSET,
    locale: str | Unset = UNSET,
    properties: str | Unset = UNSET,
) -> ErrorReply | PropertyDefinitions | None:
    """List the properties of an object type

     All definitions in one reply: names, types and options, whether values are unique, and whether they
    can be written. Any one of the scopes is enough.

    Args:
        object_type (ObjectType): An object type that this document is about, by the name that
            stands in paths.
        archived (bool | Unset):
        data_sensitivity (DataSensitivity | Unset): How sensitive the values of a property are.
        locale (str | Unset):
        properties (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorReply | PropertyDefinitions
    """

    return sync_detailed(
        object_type=object_type,
        client=client,
        archived=archived,
        data_sensitivity=data_sensitivity,
        locale=locale,
        properties=properties,
    ).parsed


async def asyncio_detailed(
    object_type: ObjectType,
    *,
    client: AuthenticatedClient,
    archived: bool | Unset = UNSET,
    data_sensitivity: DataSensitivity | Unset = UNSET,
    locale: str | Unset = UNSET,
    properties: str | Unset = UNSET,
) -> Response[ErrorReply | PropertyDefinitions]:
    """List the properties of an object type

     All definitions in one reply: names, types and options, whether values are unique, and whether they
    can be written. Any one of the scopes is enough.

    Args:
        object_type (ObjectType): An object type that this document is about, by the name that
            stands in paths.
        archived (bool | Unset):
        data_sensitivity (DataSensitivity | Unset): How sensitive the values of a property are.
        locale (str | Unset):
        properties (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ErrorReply | PropertyDefinitions]
    """

    kwargs = _get_kwargs(
        object_type=object_type,
        archived=archived,
        data_sensitivity=data_sensitivity,
        locale=locale,
        properties=properties,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    object_type: ObjectType,
    *,
    client: AuthenticatedClient,
    archived: bool | Unset = UNSET,
    data_sensitivity: DataSensitivity | Unset = UNSET,
    locale: str | Unset = UNSET,
    properties: str | Unset = UNSET,
) -> ErrorReply | PropertyDefinitions | None:
    """List the properties of an object type

     All definitions in one reply: names, types and options, whether values are unique, and whether they
    can be written. Any one of the scopes is enough.

    Args:
        object_type (ObjectType): An object type that this document is about, by the name that
            stands in paths.
        archived (bool | Unset):
        data_sensitivity (DataSensitivity | Unset): How sensitive the values of a property are.
        locale (str | Unset):
        properties (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ErrorReply | PropertyDefinitions
    """

    return (
        await asyncio_detailed(
            object_type=object_type,
            client=client,
            archived=archived,
            data_sensitivity=data_sensitivity,
            locale=locale,
            properties=properties,
        )
    ).parsed
