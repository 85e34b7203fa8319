"""Sums a file of orders by city and writes the table as JSON."""

import csv
import json
from collections import defaultdict
from decimal import Decimal

totals = defaultdict(Decimal)
orders = 0
with open("/inputs/orders.csv", newline="") as source:
    for row in csv.DictReader(source):
        totals[row["city"]] += int(row["quantity"]) * Decimal(row["unit_price"])
        orders += 1

ranking = sorted(totals.items(), key=lambda entry: entry[1], reverse=True)
print(f"{orders} orders, {sum(totals.values())} in all")
for city, total in ranking:
    print(f"{city:<8} {total:>10}")

with open("/outputs/totals.json", "w") as target:
    json.dump({city: str(total) for city, total in ranking}, target)
