# Generated from hubspot-batch.yaml by `python scripts/regenerate.py`: do not edit.
# openapi-python-client==0.29.1, ruff==0.17.6
# Document sha256: 7d86ba7303da2d4be1b0a9ccb2ec5aee3b69c3576652be5691799fd326e50fb7

"""Contains endpoint functions for accessing the API"""
