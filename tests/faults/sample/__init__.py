"""Two small services that send each other events: the workload of the fault tests.

Nothing in them is idempotent and no constraint forbids a double, so that every double that the kernel lets through is
counted.  They run in processes of their own only: importing their events here would add them to the product's.
"""
