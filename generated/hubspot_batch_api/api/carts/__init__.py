# Generated from hubspot-batch.yaml by `python scripts/regenerate.py`: do not edit.
# openapi-python-client==0.29.1, ruff==0.17.6
# Document sha256: 8ee595ddbb5470b807ffa428f2e8d2e989a6d951f95a186a6d09e7c5f6ebe6c2

"""Contains endpoint functions for accessing the API"""
