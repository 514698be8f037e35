"""The language of rules about money and play, below the kinds of case that write rules in it: what a transaction is,
named features and attributes, expressions, their live reading, their words.
"""
