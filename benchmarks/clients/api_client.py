"""`hubspot-api-client`. It has no asynchronous client."""

from collections.abc import Callable

from _batches import Shape
from hubspot import HubSpot
from hubspot.crm.objects import (
    AssociationSpec,
    BatchInputSimplePublicObjectBatchInputForCreate,
    PublicAssociationsForObject,
    PublicObjectId,
    SimplePublicObjectBatchInputForCreate,
)


def sender(url: str, batch: Shape) -> Callable[[], object]:
    """Return what creates the records."""
    batches = HubSpot(access_token="token", host=url).crm.objects.batch_api  # noqa: S106

    def send() -> object:
        inputs = [
            SimplePublicObjectBatchInputForCreate(
                properties=item["properties"],
                associations=[
                    PublicAssociationsForObject(
                        to=PublicObjectId(id=link["to"]["id"]),
                        types=[
                            AssociationSpec(
                                association_category=kind["associationCategory"],
                                association_type_id=kind["associationTypeId"],
                            )
                            for kind in link["types"]
                        ],
                    )
                    for link in item.get("associations", ())
                ],
            )
            for item in batch.inputs
        ]
        body = BatchInputSimplePublicObjectBatchInputForCreate(inputs=inputs)
        return batches.create(batch.object_type, body)

    return send
