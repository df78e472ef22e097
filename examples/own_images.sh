#!/usr/bin/env bash
# From a folder of photos to a model that runs anywhere: search, train the winner again, export, use.
#
# Needs: pip install 'gaopt[onnx]'
# Run:   bash own_images.sh PHOTOS       PHOTOS is a folder: PHOTOS/CLASS/*.jpg
set -euo pipefail
photos=$1
shift # what follows goes to the search: --set net.name=resnet20, say

gaopt run --data "$photos" --generations 3 --pop 6 --name photos "$@"
gaopt finish photos --seeds 3
gaopt export photos --to onnx --out photos-onnx
gaopt predict photos "$photos" --csv predictions.csv
