"""An object in an S3 bucket under object lock in compliance mode: until its date nobody deletes it, not even the
account's owner. Needs the extra `aws` (boto3); credentials come from where boto3 looks for them.
"""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from audit.anchors import CannotAnchor, Held, Proof, Prove, WrongProof
from audit.canonical import dumps

RECALLED = 20  # objects that a verification reads again


class LockedBucket:
    """`days` is how long each object is locked; `endpoint` for stores that are not Amazon's."""

    form = "receipt"

    def __init__(self, bucket: str, days: int, endpoint: str = "", prefix: str = "") -> None:
        self._bucket, self._days, self._prefix = bucket, days, prefix
        config = Config(connect_timeout=10, read_timeout=20, retries={"max_attempts": 2})
        self._store: Any = boto3.client("s3", endpoint_url=endpoint or None, config=config)

    def place(self, held: Held, last: int, prove: Prove) -> Proof:
        key = f"{self._prefix}{held.checkpoint.origin}/{held.size}"
        body, until = held.note.encode(), datetime.now(UTC) + timedelta(days=self._days)
        try:
            put = self._store.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=body,
                ChecksumAlgorithm="SHA256",  # S3 asks for one under a lock
                ObjectLockMode="COMPLIANCE",
                ObjectLockRetainUntilDate=until,
            )
            held_there = self._store.head_object(Bucket=self._bucket, Key=key, VersionId=put["VersionId"])
        except (BotoCoreError, ClientError, KeyError) as error:
            raise CannotAnchor(f"the bucket {self._bucket} did not take {key}: {error}") from None
        if held_there.get("ObjectLockMode") != "COMPLIANCE":
            raise CannotAnchor(f"the bucket {self._bucket} does not lock: enable object lock when it is made")
        receipt = {"bucket": self._bucket, "key": key, "version": put["VersionId"], "sha256": sha256(body).hexdigest()}
        return Proof(dumps(receipt), held_there["LastModified"], expires_at=held_there["ObjectLockRetainUntilDate"])

    def check(self, held: Held, proof: bytes) -> None:
        try:
            said = json.loads(proof)
            got = self._store.get_object(Bucket=said["bucket"], Key=said["key"], VersionId=said["version"])
            body = got["Body"].read()
        except (BotoCoreError, ClientError, ValueError, KeyError, TypeError) as error:
            raise WrongProof(f"the bucket does not hold this checkpoint: {error}") from None
        if body != held.note.encode():
            raise WrongProof(f"{said['key']} in {said['bucket']} is another checkpoint")

    def recall(self, log: str, origin: str) -> list[str]:
        """The newest objects: their names end with the size."""
        start = f"{self._prefix}{origin}/"
        try:
            pages = self._store.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=start)
            keys = [found["Key"] for page in pages for found in page.get("Contents", ())]
            newest = sorted((key for key in keys if key.removeprefix(start).isdigit()), key=lambda key: (len(key), key))
            got = [self._store.get_object(Bucket=self._bucket, Key=key) for key in newest[-RECALLED:]]
            return [answer["Body"].read().decode() for answer in got]
        except (BotoCoreError, ClientError, ValueError) as error:
            raise CannotAnchor(f"the bucket {self._bucket} cannot be read: {error}") from None
