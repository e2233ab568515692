"""The API's description for programs: `/api/v1/openapi.json`, OpenAPI 3.1.

`operations` are the words with which each operation describes itself where it is made,
`searching` describes a list's search keys, `components` the documents, `document` the whole.
"""
