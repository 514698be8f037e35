"""RFC 3161: a time-stamp authority signs that it saw the note at a moment. It learns a digest, nothing else.

The token is kept with the authority's certificates, so that `openssl ts -verify` checks it years later. A token is
worth no more than its certificate: before that ends, `renew` stamps the token itself with a newer one.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from audit.anchors import CannotAnchor, Held, Proof, Prove, WrongProof
from audit.anchors.http import post


class TimeStamps:
    """`url` of the authority; `chain` a PEM file with its root and, where its tokens lack them, what lies between."""

    form = "stamp"

    def __init__(self, url: str, chain: str) -> None:
        self._url, self._chain = url, Path(chain)

    def place(self, held: Held, last: int, prove: Prove) -> Proof:
        return self.stamp(held.note.encode())

    def stamp(self, data: bytes) -> Proof:
        """A time stamp over `data`, checked against the chain before it is believed. Raises CannotAnchor."""
        request = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256).build()
        answer = post(self._url, request.as_bytes(), "application/timestamp-query")
        if answer.status != 200:
            raise CannotAnchor(f"{self._url} answers {answer.status}")
        try:
            pem = self._chain.read_text()
            chain = x509.load_pem_x509_certificates(pem.encode())
            token = decode_timestamp_response(answer.body)
            _verify(token, data, chain, VerifierBuilder.from_request(request))
        except (OSError, ValueError, VerificationError) as error:
            raise CannotAnchor(f"the time stamp of {self._url} does not hold with {self._chain}: {error}") from None
        known = [*chain, *_certificates(token)]
        return Proof(
            answer.body, token.tst_info.gen_time, pem, min(certificate.not_valid_after_utc for certificate in known)
        )

    def check(self, held: Held, proof: bytes) -> datetime:
        return self.check_stamp(held.note.encode(), proof)

    def recall(self, log: str, origin: str) -> list[str]:
        return []  # an authority keeps nothing

    def check_stamp(self, data: bytes, proof: bytes) -> datetime:
        """With the chain of the settings, never the one that lies beside the token in the database."""
        try:
            chain, token = x509.load_pem_x509_certificates(self._chain.read_bytes()), decode_timestamp_response(proof)
            _verify(token, data, chain, VerifierBuilder())
        except (OSError, ValueError, VerificationError) as error:
            raise WrongProof(f"the time stamp does not hold: {error}") from None
        return token.tst_info.gen_time


def _verify(token: TimeStampResponse, data: bytes, chain: Sequence[x509.Certificate], builder: VerifierBuilder) -> None:
    for certificate in chain:
        root = certificate.issuer == certificate.subject
        builder = (
            builder.add_root_certificate(certificate) if root else builder.add_intermediate_certificate(certificate)
        )
    builder.build().verify_message(token, data)


def _certificates(token: TimeStampResponse) -> list[x509.Certificate]:
    return [x509.load_der_x509_certificate(der) for der in token.signed_data.certificates]
