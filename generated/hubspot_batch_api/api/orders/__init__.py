# Generated from hubspot-batch.yaml by `python scripts/regenerate.py`: do not edit.
# openapi-python-client==0.29.1, ruff==0.17.6
# Document sha256: c770442d240c367e10441b320f6e9b84c5f6306e36d3078c55655cc92d59a928

"""Contains endpoint functions for accessing the API"""
