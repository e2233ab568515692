"""A small shop: a page that shows which version and process served it, and a health check."""

import os

from flask import Flask, jsonify, render_template

import edition

app = Flask(__name__)


@app.get("/")
def home():
    """The page; adds up the prices, which the broken version can't."""
    total = sum(product["price"] for product in edition.PRODUCTS)
    return render_template(
        "home.html",
        edition=edition,
        total=total,
        port=os.environ.get("PORT", "-"),
        greeting=os.environ.get("GREETING", ""),
    )


@app.get("/health")
def health():
    """Says that the process answers, and which version it is."""
    return jsonify(status="ok", version=edition.VERSION)


@app.after_request
def show_version(response):
    """Lets a client that counts responses see who answered, without reading the page."""
    response.headers["X-Shop-Version"] = edition.VERSION
    return response
