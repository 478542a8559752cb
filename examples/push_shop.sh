#!/bin/sh
# Push the orders of a shop into a local HubSpot, then their line items and payments, linked with them.
#
#     sh examples/push_shop.sh [FOLDER]
#
# What is written goes to FOLDER, by default a new temporary one.
#
# For HubSpot itself, leave out the part that starts the sandbox and each --base-url, put your token into
# HUBSPOT_ACCESS_TOKEN, and name a FOLDER: the same command again then goes on where it stopped.
set -eu

examples=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$(mktemp -d)}
mkdir -p "$folder"
cd "$folder"

# The first line of the sandbox says where it is: "Sandbox at URL, ..."
rm -f started sandbox.sqlite*
mkfifo started
hubspot-batch sandbox --port 0 --store sandbox.sqlite > started &
sandbox=$!
trap 'kill $sandbox 2>&-; wait' EXIT
trap 'exit 130' INT TERM
read -r _ _ url _ < started
url=${url%,}
rm started
export HUBSPOT_ACCESS_TOKEN=sandbox-token

# 4 and 6 mean that every row has its outcome, and that some are refused or unknown. Any other code ends this.
finished() {
  case $? in 4 | 6) ;; *) exit ;; esac
}

hubspot-batch create orders "$examples/orders.csv" --base-url "$url" \
  --results orders-done.csv || finished

# An order that was refused has no id: what belongs to it waits.
python "$examples/add_order_ids.py" orders-done.csv "$examples/line-items.csv" line-items.csv line-items-waiting.csv
python "$examples/add_order_ids.py" orders-done.csv "$examples/payments.csv" payments.csv payments-waiting.csv

hubspot-batch create line-items line-items.csv --base-url "$url" \
  --map hs_external_id=item_number --map hs_sku=sku --map name=product \
  --map price=unit_price --map hs_discount_percentage=discount_percent \
  --drop order_number --associate order=order_id \
  --unique-property hs_external_id --results line-items-done.csv || finished

hubspot-batch create commerce-payments payments.csv --base-url "$url" \
  --map hs_reference_number=payment_number --map hs_initial_amount=amount --map hs_initiated_date=paid_at \
  --set hs_currency_code=USD --set hs_latest_status=succeeded \
  --drop order_number --associate order=order_id \
  --results payments-done.csv || finished

echo "Everything is in $PWD"
