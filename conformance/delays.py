"""How long AWS usually takes to answer: what the pretend account takes too (internal/cloud/sandbox, latencyOf).

A launch was measured at 1.4 seconds; reads take about a tenth of a second, creates three, other changes two.
"""


def usual(operation):
    """Seconds until the answer to an operation. REST calls go by their method."""
    if operation == "RunInstances":
        return 1.4
    if operation.startswith(("Describe", "Get", "List", "GET ")):
        return 0.1
    if operation.startswith(("Create", "POST ")):
        return 0.3
    return 0.2
