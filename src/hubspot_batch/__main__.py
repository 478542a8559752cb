"""`python -m hubspot_batch` is `hubspot-batch`."""

from hubspot_batch.cli import main

main()
