#!/usr/bin/env bash
# Fine-tune a network of timm that was trained on ImageNet: the head first, then all of it, with lower rates below.
#
# Needs: pip install 'gaopt[timm]', and the network once, for the weights
# Run:   bash finetune.sh PHOTOS         PHOTOS is PHOTOS/CLASS/*.jpg, an archive of that, or a labels.csv (path,label)
set -euo pipefail
photos=$1
shift # what follows goes to the search: --set net.pretrained=weights.safetensors, say

gaopt run finetune --data "$photos" --set net.name=timm:convnext_atto --generations 3 --pop 6 --name finetune "$@"
